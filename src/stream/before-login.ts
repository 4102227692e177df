import { IQ, Packet } from '../bus/index.ts';
import { Jid, prepareDomain } from '../jid/index.ts';
import { StanzaError } from '../protocol/index.ts';
import type { Stanza } from '../xml/index.ts';
import type { ClientStream } from './client-stream.ts';
import { HOLD_ANSWER } from './reading.ts';

/** Lets a module answer an IQ that may come before login (XEP-0077 3.1). False when none wants it. */
export function answerBeforeLogin(stream: ClientStream, stanza: Stanza): boolean {
  const { connection, env } = stream;
  const host = stream.host!;
  const type = stanza.type;
  // nothing of it without TLS where TLS comes first
  if (stream.offered.length === 0 || stanza.childCount !== 1 || stanza.id === undefined) return false;
  if (type !== 'get' && type !== 'set') return false;
  // whoever asks another host asks this one for nothing
  const to = stanza.attr('to');
  if (to !== undefined && prepareDomain(to) !== host.domain) return false;
  const [kid] = stanza.children();
  const xmlns = stanza.kidXmlns(kid!);
  for (const item of env.collections.beforeLogin.items(owner => host.enabled(owner))) {
    if (item.xmlns !== xmlns) continue;
    // who asks has no address yet
    const packet = new Packet(IQ, stanza, type, new Jid('', '', ''), new Jid('', host.domain, ''));
    const payload = stanza.kidElement(kid!);
    const { secured, address } = connection;
    stream.reading.hold(HOLD_ANSWER);
    void Promise.resolve()
      .then(() => item.answer({ host: host.domain, address, secured, type, payload }))
      .catch((error: unknown) => {
        env.log.error({ err: error, stream: stream.id }, 'a request before login failed');
        return new StanzaError('internal-server-error', { type: 'wait' });
      })
      .then(answer => {
        if (stream.state !== 'login') return;
        if (answer instanceof StanzaError) connection.write(packet.errorWire(answer));
        else connection.write(packet.resultWire(answer));
        connection.flush();
        stream.reading.release(HOLD_ANSWER);
      });
    return true;
  }
  return false;
}
