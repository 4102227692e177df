import { Packet, IQ } from '../bus/index.ts';
import { prepareResource } from '../jid/index.ts';
import { NS, refuse, StanzaError } from '../protocol/index.ts';
import { type Session } from '../session/session.ts';
import { type Stanza, xml } from '../xml/index.ts';
import type { ClientStream } from './client-stream.ts';
import { HOLD_ANSWER } from './reading.ts';

/** Resource binding: RFC 6120 7. Anything else before it is an error. */
export function onBindRequest(stream: ClientStream, stanza: Stanza): void {
  const request = stanza.child('bind', NS.bind);
  const account = stream.account!;
  if (request === undefined || stanza.type === 'result' || stanza.type === 'error') {
    // RFC 6120 7.1: nothing else is processed before binding, and 8.2.3: an answer is not answered
    stream.fail({ condition: 'not-authorized', text: 'Bind a resource first.' });
    return;
  }
  const packet = new Packet(IQ, stanza, stanza.type ?? '', account, undefined);
  const refused = (error: StanzaError): void => {
    stream.connection.write(packet.errorWire(error));
    stream.connection.flush();
  };
  if (stanza.type !== 'set' || stanza.id === undefined) {
    refused(refuse('bad-request', "Binding is an IQ of type 'set' with an 'id'."));
    return;
  }
  const wanted = stanza.kidElement(request).getChildText('resource', NS.bind);
  const resource = wanted ? prepareResource(wanted) : undefined;
  if (wanted && resource === undefined) {
    // RFC 6120 7.7.2.1
    refused(refuse('bad-request', 'The resource is not acceptable (RFC 7622 3.4).'));
    return;
  }
  const bound = (result: Session | StanzaError): void => {
    if (result instanceof StanzaError) {
      refused(result);
      return;
    }
    if (stream.state !== 'binding') {
      // the stream went away while it was waited for
      result.finish();
      return;
    }
    result.client = stream.client;
    result.attach(stream, stream.lang);
    stream.begin(result);
    result.sendWire(packet.resultWire(xml('bind', { xmlns: NS.bind }, xml('jid', {}, result.jid.full))));
    stream.env.begun(stream, result);
  };
  const session = stream.env.bind(stream, account, resource, stream.anonymous);
  if (!(session instanceof Promise)) {
    bound(session);
    return;
  }
  stream.reading.hold(HOLD_ANSWER);
  session
    .then(bound, (error: unknown) => {
      stream.env.log.error({ err: error, stream: stream.id }, 'binding failed');
      refused(new StanzaError('internal-server-error', { type: 'wait' }));
    })
    .finally(() => stream.reading.release(HOLD_ANSWER));
}
