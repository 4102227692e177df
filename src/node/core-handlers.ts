import { Empty } from '../bus/index.ts';
import { NS } from '../protocol/index.ts';
import type { Session } from '../session/session.ts';
import type { Node } from './node.ts';
import { portableCredentials, portableStatus } from './portable-account.ts';

/** What the house itself answers and notes, beside its modules. */
export function coreHandlers({ accounts, clients, collections, iqs, points }: Node): void {
  // when each account was here last
  for (const point of [points.bound, points.ended] as const) {
    point.add('core', ({ anonymous, user }) => {
      if (!anonymous) accounts.noteLogin(user.jid);
    });
  }
  // and each of its clients
  points.ended.add('core', session => clients.noteSeen(session as Session));
  // before what modules keep of an account
  collections.portable.add('core', portableCredentials(accounts));
  collections.portable.add('core', portableStatus(accounts));
  // RFC 3921 3, for clients that still ask
  iqs.add({ owner: 'core', xmlns: NS.session, name: 'session', type: 'set', to: 'both', fn: () => Empty });
}
