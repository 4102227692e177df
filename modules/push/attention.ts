/* Whether a device needs to be told, as its user's sessions are now. */
import type { SessionView, UserView } from '../../src/api/index.ts';
import type { Registration } from './registration.ts';

/** Whether somebody is at a client: it gets messages, does not say that nobody looks at it, and does not show that its user is away. */
export function isInUse(session: SessionView): boolean {
  if (!takesMessages(session) || session.inactiveSince !== 0) return false;
  const { stanza } = session.presence!;
  const kid = stanza.child('show', stanza.xmlns);
  if (kid === undefined) return true;
  // RFC 6121 4.7.2.1
  const show = stanza.kidElement(kid).getText();
  return show !== 'away' && show !== 'xa';
}

/** Whether what is sent to its account comes to it at once (RFC 6121 8.5.2.1.1). */
function takesMessages(session: SessionView): boolean {
  return session.connected && session.presence !== undefined && session.priority >= 0;
}

export interface Habits {
  /** Whether devices are left alone while another is in use, where they do not say so themselves. */
  readonly away: boolean;
  /** Whether those are told that are connected and inactive. */
  readonly inactive: boolean;
}

/** Whether a registered device needs a notification to know that something came. */
export function needsPush({ device, settings }: Registration, user: UserView | undefined, habits: Habits): boolean {
  const away = settings.away ?? habits.away;
  for (const session of user?.sessions ?? []) {
    if (session.jid.resource === device) {
      if (takesMessages(session) && (session.inactiveSince === 0 || !habits.inactive)) return false;
    } else if (away && isInUse(session)) return false;
  }
  return true;
}
