import { randomBytes } from 'node:crypto';
import { NS } from '../protocol/index.ts';
import type { Session } from '../session/session.ts';
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
  const { sm } = stream.env;
  if (!sm.enabled) return failed(stream, 'feature-not-implemented');
  if (session.resumption) return failed(stream, 'unexpected-request');
  const wanted = stanza.attr('resume');
  const max = count(stanza.attr('max'));
  const timeout = wanted === 'true' || wanted === '1' ? Math.min(max ?? sm.timeout, sm.maxTimeout) : 0;
  const agree = (): void => {
    const id = randomBytes(15).toString('base64url');
    session.enable({ id, timeout });
    if (timeout > 0) stream.env.enableResumption(session, id);
    const resume = timeout > 0 ? ` id='${id}' resume='true' max='${timeout}'` : '';
    stream.connection.write(`<enabled xmlns='${NS.sm}'${resume}/>`);
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

/** XEP-0198 5: <resume/> instead of binding. */
export function onResume(stream: ClientStream, stanza: Stanza): void {
  if (stanza.name !== 'resume') return failed(stream, 'unexpected-request');
  const previd = stanza.attr('previd');
  const h = count(stanza.attr('h'));
  if (previd === undefined || h === undefined) return failed(stream, 'bad-request');
  const session = stream.env.resumable(previd, stream.account!);
  if (!session) return gone(stream, previd);
  const resume = (): void => {
    if (stream.state !== 'binding') return;
    if (!session.alive) return gone(stream, previd);
    if (!session.takeOver(stream, h, stream.lang)) return tooHigh(stream, session, h);
    stream.begin(session);
    stream.connection.write(`<resumed xmlns='${NS.sm}' h='${session.h}' previd='${previd}'/>`);
    session.flush();
    stream.connection.flush();
    stream.env.resumed(stream, session);
  };
  const attempt = (): void => {
    // an old connection that is still there counts no more, be it one that was resumed while this one waited; but what it
    // brought is finished first, so that our h is exact
    if (stream.state === 'binding') session.leaveStream();
    const waiting = session.settled();
    if (waiting) {
      stream.reading.hold(HOLD_ANSWER);
      void waiting.then(attempt);
      return;
    }
    resume();
    stream.reading.release(HOLD_ANSWER);
  };
  attempt();
}

/** XEP-0198 3, 6: <enable/> and <resume/> before login. */
export function onEarlyManagement(stream: ClientStream): void {
  failed(stream, 'unexpected-request');
}

/** XEP-0198 5: no such session; if there was one, its client may learn what became of its last stanzas. */
function gone(stream: ClientStream, previd: string): void {
  failed(stream, 'item-not-found', stream.env.handledBefore(previd, stream.account!));
}

function failed(stream: ClientStream, condition: string, h?: number): void {
  const handled = h === undefined ? '' : ` h='${h}'`;
  stream.connection.write(`<failed xmlns='${NS.sm}'${handled}><${condition} xmlns='${NS.stanzaErrors}'/></failed>`);
  stream.connection.flush();
}

/** XEP-0198 4: a client cannot have handled more than it was sent. */
function tooHigh(stream: ClientStream, session: Session, h: number): void {
  stream.fail({
    condition: 'undefined-condition',
    text: `You acknowledged ${h} stanzas, but only ${session.outbox.sent} were sent.`,
    application: `<handled-count-too-high xmlns='${NS.sm}' h='${h}' send-count='${session.outbox.sent}'/>`,
  });
}

/** An unsigned 32-bit number (XEP-0198 4). */
function count(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= 0xffffffff ? value : undefined;
}
