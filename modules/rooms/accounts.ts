import { type Jid, parseJid } from '../../src/jid/index.ts';
import { affiliate, type NewAffiliation } from './affiliating.ts';
import { giveHats } from './hatting.ts';
import { forgetApplication } from './registration.ts';
import type { Room } from './room.ts';
import type { RoomStore } from './store.ts';
import type { Affiliated } from './stored.ts';

/** An account is gone: the next by its name is nothing to the rooms that knew it. */
export async function forgetAccount(store: RoomStore, roomOf: (jid: Jid) => Room, account: Jid): Promise<void> {
  const { lists } = store;
  const known = await lists.of(account);
  const addresses = new Set([
    ...known.map(({ jid }) => jid),
    ...(await lists.awaitedBy(account)),
    ...(await lists.wornBy(account)),
  ]);
  for (const address of addresses) {
    const jid = parseJid(address);
    const room = jid && roomOf(jid);
    await room?.do(() => forget(room, account));
  }
  await store.forgetMaker(account);
}

/** XEP-0045 10: a room has an owner. Where the last one is gone, it is the admin of longest standing, or where there is none the member. */
async function forget(room: Room, account: Jid): Promise<void> {
  if (!room.state) return;
  const { affiliations, applications, hats } = room.state;
  if (hats.of(account).length > 0) await giveHats(room, account, []);
  const application = applications.find(({ jid }) => jid.bare === account.bare);
  if (application) await forgetApplication(room, application);
  const before = affiliations.get(account)?.affiliation;
  if (before === undefined) return;
  const changes: NewAffiliation[] = [{ jid: account, affiliation: 'none', nick: undefined, reason: '' }];
  if (before === 'owner' && affiliations.owners === 1) {
    const heir = eldest(affiliations.list('admin')) ?? eldest(affiliations.list('member'));
    if (!heir) await room.house.policies.abandoned(room, account);
    if (!room.state) return;
    if (heir) changes.push({ jid: heir.jid, affiliation: 'owner', nick: undefined, reason: '' });
  }
  await affiliate(room, changes, account);
}

function eldest(all: readonly Affiliated[]): Affiliated | undefined {
  return all.toSorted((a, b) => a.since - b.since || (a.jid.bare < b.jid.bare ? -1 : 1))[0];
}
