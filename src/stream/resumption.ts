import { NS } from '../protocol/index.ts';
import type { Session } from '../session/session.ts';
import type { Stanza } from '../xml/index.ts';
import type { MaybePromise } from '../util/maybe.ts';
import type { ClientStream } from './client-stream.ts';
import { count, failedWire, tooHigh } from './management.ts';
import { HOLD_ANSWER } from './reading.ts';

/** XEP-0198 5: <resume/> instead of binding. */
export function onResume(stream: ClientStream, stanza: Stanza): void {
  if (stanza.name !== 'resume') return refuse(stream, failedWire('unexpected-request'));
  const previd = stanza.attr('previd');
  const h = count(stanza.attr('h'));
  if (previd === undefined || h === undefined) return refuse(stream, failedWire('bad-request'));
  const account = stream.account!;
  const gone = (): void => refuse(stream, failedWire('item-not-found', stream.env.handledBefore(previd, account)));
  const session = stream.env.resumable(previd, account);
  if (!session) return gone();
  const wanted = (): boolean => stream.state === 'binding';
  const waiting = whenFree(session, h, wanted, () => {
    if (!wanted()) return;
    if (!session.alive) return gone();
    if (!session.takeOver(stream, h, stream.lang)) return tooHigh(stream, session, h);
    stream.begin(session);
    stream.connection.write(resumedWire(session, previd));
    session.flush();
    stream.connection.flush();
    stream.env.resumed(stream, session);
  });
  if (!waiting) return;
  stream.reading.hold(HOLD_ANSWER);
  void waiting.then(() => stream.reading.release(HOLD_ANSWER));
}

/**
 * Lets go of a session's old connection and takes the session when all that it brought has been handled, so that our h is exact. An
 * old connection that is still there counts no more, be it one that was resumed while this one waited: unless the count `h` is older
 * than what was said on it, in late words of a connection that was cut before.
 */
export function whenFree<T>(
  session: Session,
  h: number,
  wanted: () => boolean,
  take: () => MaybePromise<T>,
): MaybePromise<T> {
  if (session.outbox.isPast(h)) return take();
  if (wanted()) session.leaveStream();
  const waiting = session.settledSoon();
  return waiting ? waiting.then(() => whenFree(session, h, wanted, take)) : take();
}

export function resumedWire(session: Session, previd: string): string {
  return `<resumed xmlns='${NS.sm}' h='${session.h}' previd='${previd}'/>`;
}

function refuse(stream: ClientStream, failed: string): void {
  stream.connection.write(failed);
  stream.connection.flush();
}
