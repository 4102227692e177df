import { NS } from '../protocol/index.ts';
import { serialize } from '../xml/index.ts';
import type { StreamEnvironment, StreamHost } from './environment.ts';

/** <stream:features/> around some features, as a wire string (RFC 6120 4.3.2). */
function features(framed: boolean, inner: string): string {
  const declaration = framed ? ` xmlns:stream='${NS.streams}'` : '';
  return `<stream:features${declaration}>${inner}</stream:features>`;
}

function ofModules(
  env: StreamEnvironment,
  host: StreamHost,
  when: string,
  stream: { secured: boolean; address: string },
): string {
  let out = '';
  for (const { when: offered, feature } of env.collections.streamFeatures.items(owner => host.enabled(owner))) {
    const element = offered === when ? feature(host.domain, stream) : undefined;
    if (element) out += serialize(element, NS.client);
  }
  return out;
}

/** Nothing but TLS, which comes first (RFC 6120 5.3.1). */
export function tlsFeatures(): string {
  return features(false, `<starttls xmlns='${NS.tls}'><required/></starttls>`);
}

/** Before login: mechanisms and, where -PLUS ones are among them, their channel bindings (XEP-0440). */
export function loginFeatures(
  env: StreamEnvironment,
  host: StreamHost,
  stream: { framed: boolean; secured: boolean; address: string; startTls: boolean },
  mechanisms: readonly string[],
  bindings: readonly string[],
): string {
  const list = mechanisms.map(name => `<mechanism>${name}</mechanism>`).join('');
  const cb = bindings.map(type => `<channel-binding type='${type}'/>`).join('');
  return features(
    stream.framed,
    (stream.startTls ? `<starttls xmlns='${NS.tls}'/>` : '') +
      `<mechanisms xmlns='${NS.sasl}'>${list}</mechanisms>` +
      (cb && `<sasl-channel-binding xmlns='${NS.saslChannelBinding}'>${cb}</sasl-channel-binding>`) +
      ofModules(env, host, 'before-login', stream),
  );
}

/** After login: binding, and what comes with it. */
export function sessionFeatures(
  env: StreamEnvironment,
  host: StreamHost,
  stream: { framed: boolean; secured: boolean; address: string },
): string {
  return features(
    stream.framed,
    `<bind xmlns='${NS.bind}'/>` +
      // RFC 3921 3, for clients that still ask: nothing is done for it
      `<session xmlns='${NS.session}'><optional/></session>` +
      (env.sm.enabled ? `<sm xmlns='${NS.sm}'/>` : '') +
      `<csi xmlns='${NS.csi}'/>` +
      ofModules(env, host, 'after-login', stream),
  );
}
