import { parseJid, prepareDomain } from '../jid/index.ts';
import type { StreamError } from '../protocol/index.ts';
import type { ClientStream } from './client-stream.ts';
import type { StreamHost } from './environment.ts';
import { loginFeatures, sessionFeatures, tlsFeatures } from './features.ts';
import { headerWire, languageTag, type Opening, streamId, versionSupported } from './header.ts';
import { channelBindingTypes, type ChannelBindingType, hashedTokenMechanisms, offer } from './sasl/index.ts';

const TYPES: readonly ChannelBindingType[] = ['tls-exporter', 'tls-unique', 'tls-server-end-point'];

/** Answers a client's header: ours, and what can be negotiated now (RFC 6120 4.2, 4.3). */
export function openStream(stream: ClientStream, opening: Opening | StreamError): void {
  if ('condition' in opening) {
    stream.fail(opening);
    return;
  }
  stream.opening = opening;
  const domain = opening.to === undefined ? undefined : prepareDomain(opening.to);
  const host = domain === undefined ? undefined : stream.env.host(domain);
  if (!host) {
    stream.fail({
      condition: 'host-unknown',
      text: opening.to === undefined ? "The header has no 'to'." : `'${opening.to.slice(0, 255)}' is not served here.`,
    });
    return;
  }
  if (stream.account && stream.account.domain !== host.domain) {
    stream.fail({ condition: 'host-unknown', text: `This stream logged in to ${stream.account.domain}.` });
    return;
  }
  if (!versionSupported(opening.version)) {
    stream.fail({ condition: 'unsupported-version', text: "A stream's version is 1.0." });
    return;
  }
  stream.host = host;
  stream.lang = languageTag(opening.lang);
  sendHeader(stream);
  if (isElsewhere(opening.from, host)) {
    // XEP-0388 2.1, RFC 6120 4.9.3.9
    stream.fail({ condition: 'invalid-from', text: `A client of ${host.domain} has an address there.` });
    return;
  }
  if (host.seeOtherHost && !stream.account) {
    stream.fail({ condition: 'see-other-host', value: host.seeOtherHost });
    return;
  }
  if (stream.account) offerSession(stream, host);
  else offerLogin(stream, host);
}

/** Whether a client says that it has an account of another domain. */
function isElsewhere(from: string | undefined, { domain }: StreamHost): boolean {
  const own = from === undefined ? undefined : parseJid(from);
  return own !== undefined && own.domain !== domain;
}

/** Our header, unless it was sent. */
export function sendHeader(stream: ClientStream): void {
  if (stream.headerSent) return;
  stream.headerSent = true;
  stream.id = streamId();
  // RFC 6120 4.9.1.2: a name of the server's own where none of its hosts was asked for
  const from = stream.host?.domain ?? stream.env.domain;
  stream.connection.write(headerWire(stream.connection.framed, stream.id, from, stream.opening));
}

function offerSession(stream: ClientStream, host: StreamHost): void {
  const { connection, env } = stream;
  const { framed, secured, address } = connection;
  stream.state = 'binding';
  connection.write(sessionFeatures(env, host, { framed, secured, address }));
}

function offerLogin(stream: ClientStream, host: StreamHost): void {
  const { connection, env, allowPlaintext } = stream;
  const { framed, secured, address } = connection;
  stream.state = 'login';
  if (!secured && !allowPlaintext) {
    stream.offered = [];
    connection.write(tlsFeatures());
    return;
  }
  const has = TYPES.filter(type => connection.channelBinding(type) !== undefined);
  const bindings = channelBindingTypes.filter(type => has.includes(type));
  stream.bindings = bindings;
  stream.offered = offer({
    mechanisms: host.mechanisms,
    secured,
    plainWithoutTls: allowPlaintext,
    anonymous: host.anonymous,
    bindings,
  });
  stream.sasl2 = host.sasl2 && stream.offered.length > 0;
  stream.fast = stream.sasl2 && host.fast ? hashedTokenMechanisms(type => has.includes(type)) : [];
  const startTls = !secured && host.tls && !framed;
  connection.write(loginFeatures(env, host, { framed, secured, address, startTls }, stream));
}
