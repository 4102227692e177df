import type { Logger } from 'pino';
import type { Session } from '../session/session.ts';
import type { Metrics } from './metrics.ts';

/** Tells the log and the figures of sessions whose client is slow, silent or gone. */
export function sessionWatch(log: Logger, metrics: Metrics) {
  const of = (session: Session) => ({ session: session.id, jid: session.jid.full });
  return {
    slow: (session: Session, reason: 'bytes' | 'time'): void => {
      const help = 'Sessions closed because their client did not read.';
      metrics.counter('posthouse_slow_readers_total', help, { reason }).inc();
      log.warn({ ...of(session), reason, bytes: session.outbox.bytes }, 'a client does not read: closed');
    },
    dead: (session: Session): void => {
      metrics.counter('posthouse_dead_peers_total', 'Connections closed because nobody answered on them.').inc();
      log.info(of(session), 'a client is silent: closed');
    },
    detached: (session: Session): void => log.debug(of(session), 'session waits to be resumed'),
    ended: (session: Session): void => {
      const seconds = Math.round((Date.now() - session.since) / 1000);
      log.info({ ...of(session), seconds }, 'session ends');
    },
    expired: (session: Session): void => log.info(of(session), 'a session was not resumed in time'),
  };
}
