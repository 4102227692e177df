import type { ArchiveService } from '../archive/contract.ts';
import type { Beside } from './contract.ts';
import { type Inbox, placeOf, type Row } from './inboxes.ts';

/** An inbox with conversations of other modules in it, each in the place of what the archive has with the same address. */
export async function withOthers(
  inbox: Inbox,
  archive: Pick<ArchiveService, 'numberOf'>,
  others: readonly Beside[],
): Promise<Inbox & { readonly foreign: ReadonlySet<number> }> {
  const foreign = new Set<number>();
  if (others.length === 0) return { ...inbox, foreign };
  const rows = new Map(inbox.rows);
  for (const { jid, last, id, text, shown, unread, first } of others) {
    const peer = await archive.numberOf(jid);
    if (peer === undefined) continue;
    foreign.add(peer);
    rows.set(peer, { peer, last, text, shown, unread, firstUnread: first, jid: jid.bare, id });
  }
  const order: Row[] = [...rows.values()].sort((a, b) => placeOf(b) - placeOf(a));
  const unread = order.filter(row => row.unread > 0);
  return { rows, order, unread, allUnread: unread.reduce((sum, row) => sum + row.unread, 0), foreign };
}
