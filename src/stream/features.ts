import { NS } from '../protocol/index.ts';
import { serialize } from '../xml/index.ts';
import { bindFeatureWire } from './bind2.ts';
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

/** What a stream offers those who log in. */
interface Offered {
  readonly offered: readonly string[];
  readonly bindings: readonly string[];
  readonly sasl2: boolean;
  readonly fast: readonly string[];
}

/** Before login: mechanisms and, where -PLUS ones are among them, their channel bindings (XEP-0440). */
export function loginFeatures(
  env: StreamEnvironment,
  host: StreamHost,
  stream: { framed: boolean; secured: boolean; address: string; startTls: boolean },
  offered: Offered,
): string {
  const { bindings } = offered;
  const list = mechanismList(offered.offered);
  const cb = bindings.map(type => `<channel-binding type='${type}'/>`).join('');
  return features(
    stream.framed,
    (stream.startTls ? `<starttls xmlns='${NS.tls}'/>` : '') +
      `<mechanisms xmlns='${NS.sasl}'>${list}</mechanisms>` +
      (cb && `<sasl-channel-binding xmlns='${NS.saslChannelBinding}'>${cb}</sasl-channel-binding>`) +
      (offered.sasl2 ? authentication(env, host, list, offered.fast) : '') +
      ofModules(env, host, 'before-login', stream),
  );
}

function mechanismList(mechanisms: readonly string[]): string {
  let list = '';
  for (const name of mechanisms) list += `<mechanism>${name}</mechanism>`;
  return list;
}

/** SASL2, and what can be done along with it: XEP-0388 2.1, XEP-0198 9.2, XEP-0386 3, XEP-0484 3.1. */
function authentication(env: StreamEnvironment, host: StreamHost, list: string, fast: readonly string[]): string {
  const inline =
    (env.sm.enabled ? `<sm xmlns='${NS.sm}'/>` : '') +
    bindFeatureWire(env, host) +
    (fast.length > 0 ? `<fast xmlns='${NS.fast}'>${mechanismList(fast)}</fast>` : '');
  return `<authentication xmlns='${NS.sasl2}'>${list}<inline>${inline}</inline></authentication>`;
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

/** After login with a session already (XEP-0386): what is left to be switched on. */
export function boundFeatures(
  env: StreamEnvironment,
  host: StreamHost,
  stream: { framed: boolean; secured: boolean; address: string },
  managed: boolean,
): string {
  return features(
    stream.framed,
    (env.sm.enabled && !managed ? `<sm xmlns='${NS.sm}'/>` : '') +
      `<csi xmlns='${NS.csi}'/>` +
      ofModules(env, host, 'after-login', stream),
  );
}
