import { NS } from '../protocol/index.ts';
import type { Session } from '../session/session.ts';
import { randomName } from '../util/random.ts';
import type { Stanza } from '../xml/index.ts';
import type { ClientStream } from './client-stream.ts';
import { HOLD_ANSWER } from './reading.ts';

/** XEP-0198 on a stream that has a session: <enable/>, <r/>, <a/>. */
export function onManagement(stream: ClientStream, session: Session, stanza: Stanza): void {
  if (!session.resumption && (stanza.name === 'r' || stanza.name === 'a')) {
    stream.fail({
      condition: 'unsupported-stanza-type',
      text: `<${stanza.name}/> comes after <enable/> (XEP-0198 3).`,
    });
    return;
  }
  switch (stanza.name) {
    case 'r':
      session.onRequest();
      return;
    case 'a': {
      const h = count(stanza.attr('h'));
      if (h === undefined) {
        stream.fail({ condition: 'policy-violation', text: "<a/> needs an 'h'." });
      } else if (!session.onAck(h)) {
        tooHigh(stream, session, h);
      }
      return;
    }
    case 'enable':
      enable(stream, session, stanza);
      return;
    case 'resume':
      // XEP-0198 5: only before binding
      failed(stream, 'unexpected-request');
      return;
    default:
      stream.fail({ condition: 'unsupported-stanza-type', text: `<${stanza.name}/> is nothing of XEP-0198.` });
  }
}

function enable(stream: ClientStream, session: Session, stanza: Stanza): void {
  if (!stream.env.sm.enabled) return failed(stream, 'feature-not-implemented');
  if (session.resumption) return failed(stream, 'unexpected-request');
  const agree = (): void => {
    stream.connection.write(enableNow(stream, session, stanza.attr('resume'), stanza.attr('max')));
    stream.connection.flush();
  };
  // XEP-0198 4: what came before <enable/> is not counted; so it is finished first
  const waiting = session.settled();
  if (!waiting) return agree();
  stream.reading.hold(HOLD_ANSWER);
  void waiting.then(() => {
    if (stream.state === 'session' && session.connected) agree();
    stream.reading.release(HOLD_ANSWER);
  });
}

/** The session counts from now on; <enabled/> (XEP-0198 3), to be written at once. */
export function enableNow(
  { env }: ClientStream,
  session: Session,
  wanted: string | undefined,
  most: string | undefined,
): string {
  const { sm } = env;
  const max = count(most);
  const timeout = wanted === 'true' || wanted === '1' ? Math.min(max ?? sm.timeout, sm.maxTimeout) : 0;
  const id = randomName(15);
  session.enable({ id, timeout });
  if (timeout > 0) env.enableResumption(session, id);
  const resume = timeout > 0 ? ` id='${id}' resume='true' max='${timeout}'` : '';
  return `<enabled xmlns='${NS.sm}'${resume}/>`;
}

/** XEP-0198 3, 6: <enable/> and <resume/> before login. */
export function onEarlyManagement(stream: ClientStream): void {
  failed(stream, 'unexpected-request');
}

function failed(stream: ClientStream, condition: string): void {
  stream.connection.write(failedWire(condition));
  stream.connection.flush();
}

/** XEP-0198 3, 5: that cannot be; `h`: how much was handled of a session that is over. */
export function failedWire(condition: string, h?: number): string {
  const handled = h === undefined ? '' : ` h='${h}'`;
  return `<failed xmlns='${NS.sm}'${handled}><${condition} xmlns='${NS.stanzaErrors}'/></failed>`;
}

/** XEP-0198 4: a client cannot have handled more than it was sent. */
export function tooHigh(stream: ClientStream, session: Session, h: number): void {
  stream.fail({
    condition: 'undefined-condition',
    text: `You acknowledged ${h} stanzas, but only ${session.outbox.sent} were sent.`,
    application: `<handled-count-too-high xmlns='${NS.sm}' h='${h}' send-count='${session.outbox.sent}'/>`,
  });
}

/** An unsigned 32-bit number (XEP-0198 4). */
export function count(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= 0xffffffff ? value : undefined;
}
