import { MESSAGE, type Packet, stanzaType } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { indexed } from '../../src/xml/index.ts';
import { type ArchiveService, type Filed, type Kept, keyOf, markOf } from '../archive/contract.ts';
import { tick } from './inboxes.ts';
import type { DisplayedStore } from './store.ts';

/** The id of the message that a client says is displayed (XEP-0333 4.2; until 0.4 also 'acknowledged'); undefined for other messages. */
export function displayedId({ type, stanza }: Pick<Packet, 'type' | 'stanza'>): string | undefined {
  if (type !== 'chat' && type !== 'normal') return undefined;
  const kid = stanza.child('displayed', NS.chatMarkers) ?? stanza.child('acknowledged', NS.chatMarkers);
  return kid === undefined ? undefined : stanza.kidElement(kid).attrs.id;
}

/** Markers among so many messages may not have been noted when the program ended. */
const RECENT = 1000;

/** Notes what clients displayed just before the program ended: their markers are in archives. */
export async function noteRecent(
  archive: ArchiveService,
  note: (message: Pick<Kept, 'key' | 'stanza'>) => Promise<void>,
): Promise<void> {
  for (const message of await archive.recent(RECENT)) await note(message);
}

/** Notes what a message that is in its sender's archive says of others, if it is a marker: as `noteDisplayed`. */
export async function noteMarker(
  archive: ArchiveService,
  store: DisplayedStore,
  { key, stanza: wire }: Pick<Kept, 'key' | 'stanza'>,
): Promise<{ owner: number; peer: number } | undefined> {
  const stanza = indexed(wire);
  if (!stanza.hasNamespace(NS.chatMarkers)) return undefined;
  const id = displayedId({ type: stanzaType(MESSAGE, stanza.type), stanza });
  const [from, to] = ['from', 'to'].map(name => parseJid(stanza.attr(name) ?? ''));
  if (id === undefined || !from || !to) return undefined;
  return noteDisplayed(archive, store, from.toBare(), to.toBare(), id, key);
}

/**
 * Takes note of what an account has displayed: the message of that id in the conversation, and all before it. A message that is not
 * there, or is displayed already, changes nothing (XEP-0333 5). `before`: the marker's own key, where others came since then, of which
 * one may have the same id. Gives the numbers of account and correspondent when it moved on.
 */
export async function noteDisplayed(
  archive: ArchiveService,
  store: DisplayedStore,
  account: Jid,
  correspondent: Jid,
  id: string,
  before?: number,
): Promise<{ owner: number; peer: number } | undefined> {
  const peer = await archive.numberOf(correspondent);
  if (peer === undefined) return undefined;
  const { owner, lowest } = await archive.shelf(account);
  const after = Math.max(await store.get(owner, peer), lowest);
  const key = await archive.conversations.incoming(owner, peer, after, id, markOf(id), tick, before);
  return key !== undefined && (await store.move(owner, peer, key)) ? { owner, peer } : undefined;
}

/** The same, where the message is named by the id that the account gave it (XEP-0490). */
export async function noteDisplayedId(
  archive: ArchiveService,
  store: DisplayedStore,
  account: Jid,
  correspondent: Jid,
  stanzaId: string,
): Promise<{ owner: number; peer: number } | undefined> {
  const key = keyOf(stanzaId);
  const peer = key === undefined ? undefined : await archive.numberOf(correspondent);
  if (key === undefined || peer === undefined) return undefined;
  const filed = await archive.find(stanzaId);
  // one of another conversation, or of the future, would hide what was not displayed
  if (!filed || !isBetween(filed, account, correspondent)) return undefined;
  const { owner } = await archive.shelf(account);
  return (await store.move(owner, peer, key)) ? { owner, peer } : undefined;
}

/** Whether a message is in the account's archive, in its conversation with somebody: sent or received (XEP-0490 3.2). */
function isBetween({ sent, received, stanza: wire }: Filed, account: Jid, correspondent: Jid): boolean {
  const stanza = indexed(wire);
  const [from, to] = ['from', 'to'].map(name => parseJid(stanza.attr(name) ?? '')?.bare);
  return (
    (sent && from === account.bare && to === correspondent.bare) ||
    (received && from === correspondent.bare && to === account.bare)
  );
}
