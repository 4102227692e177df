import {
  andThen,
  type Answer,
  currentUnit,
  type IqRequest,
  type MaybePromise,
  type Packet,
  wireJid,
} from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { indexed } from '../../src/xml/index.ts';
import type { StanzaIdsService } from '../stanza-id/contract.ts';
import type { Address } from './addresses.ts';
import type { Answering, Shelf } from './answering.ts';
import type { RoomArchives, RoomMessage, RoomPlace, RoomUnread, RoomView } from './contract.ts';
import { contentFlags, isKeepableInRoom } from './keepable.ts';
import { firstKeyAt, keyOf, markOf, timeOf } from './key.ts';
import type { Origins } from './origins.ts';
import { queryForm, readQuery } from './query.ts';
import { CORRECTS, INCOMING_TEXT } from './schema.ts';
import { type ArchiveStore, type Kept, type NewMessage, RECEIVED, RETRACTED, TEXT } from './store.ts';
import type { Entry, Span } from './tail.ts';

/** Entries that are looked through for the history of a room in one go. */
const SLICE = 50;
/** What of a room's archive is looked through for its history, at most: it may hold reactions above all. */
const MOST = 1000;
/** Uncommitted messages above which senders are read more slowly. */
const BACKLOG = 1000;
/** Unread messages that are counted. */
const MOST_UNREAD = 10_000;
const END = Number.MAX_SAFE_INTEGER;
/** Who said a message, at the end of what is kept of it: only some are to see that. */
const ITEM = `<x xmlns='${NS.mucUser}'><item jid='`;

export interface RoomParts {
  readonly store: ArchiveStore;
  readonly ids: StanzaIdsService;
  readonly answering: Answering;
  /** The key before which archives keep nothing, by the options of a host. */
  floorOf(host: string): number;
  /** Messages of one page of results. */
  pageOf(host: string): number;
  /** What was kept of late; undefined where messages that come twice are not looked for. */
  origins(host: string): Origins | undefined;
  /** Answers the author of what could not be kept. */
  refuse(packet: Packet, error: unknown): void;
}

interface Place extends RoomPlace {
  readonly recipient: Address;
  readonly sender: Address;
}

/**
 * The archives of rooms. A room's message is one row, whose recipient is the room and whose sender is the account that said it; it is in
 * the room's archive only.
 */
export class Rooms implements RoomArchives {
  private readonly parts: RoomParts;

  constructor(parts: RoomParts) {
    this.parts = parts;
  }

  place(room: Jid, author: Jid): MaybePromise<Place> {
    const { addresses } = this.parts.store;
    const placed = (recipient: Address, sender: Address): Place => ({ room, author, recipient, sender });
    const [recipient, sender] = [addresses.atOnce(room.bare), addresses.atOnce(author.bare)];
    if (recipient && sender) return placed(recipient, sender);
    return andThen(addresses.of(room.bare), first =>
      andThen(addresses.of(author.bare), second => placed(first, second)),
    );
  }

  keep(place: RoomPlace, packet: Packet, original: Packet): string | undefined | Promise<undefined> {
    const { store, ids, refuse: refused } = this.parts;
    const { room, author, recipient, sender } = place as Place;
    if (packet.stanza.has('stanza-id', NS.stanzaIds)) ids.clean(packet, room);
    if (!isKeepableInRoom(packet)) return '';
    const origins = this.parts.origins(author.domain);
    const key = origins && origins.keyOf(author.bare, room.bare, packet.stanza);
    const before = key === undefined ? undefined : origins!.get(key);
    if (before !== undefined) {
      const { failures } = origins!;
      return store.upToNow()?.then(() => {
        if (origins!.failures !== failures) refused(original, undefined);
        return undefined;
      });
    }
    // from here to the order of the commit nothing waits
    const id = this.name(room, packet);
    const kept = store.add(this.row(packet, id, sender, recipient, author));
    const unit = currentUnit();
    if (unit) {
      // nobody gets what could not be kept
      unit.required = true;
      if (store.pending > BACKLOG) unit.slow = true;
    }
    if (key !== undefined) origins!.add(key);
    kept.catch((error: unknown) => {
      if (key !== undefined) origins!.delete(key);
      refused(original, error);
    });
    original.hold(kept);
    return id;
  }

  async bury(place: RoomPlace, packet: Packet, buried: string, retracted: string) {
    const { store, ids } = this.parts;
    const { room, author, recipient, sender } = place as Place;
    ids.clean(packet, room);
    await store.upToNow();
    const message = await store.reading.find(recipient.id, buried, recipient.goneBefore - 1);
    const id = this.name(room, packet);
    const row = this.row(packet, id, sender, recipient, author);
    if (!message || (message.flags & RETRACTED) !== 0) return { id, kept: store.add(row) };
    return { id, kept: store.retract(row, [{ key: message.key, tombstone: tombstoneOf(message.stanza, retracted) }]) };
  }

  async find(room: Jid, id: string, author: Jid): Promise<(RoomMessage & { readonly own: boolean }) | undefined> {
    const { store } = this.parts;
    await store.upToNow();
    const message = await store.reading.byId(id);
    const [owner, own] = [await store.addresses.find(room.bare), await store.addresses.find(author.bare)];
    if (!message || !owner || message.recipient !== owner.id || (message.flags & RECEIVED) === 0) return undefined;
    return { ...messageOf(message), own: own !== undefined && message.sender === own.id };
  }

  async history(room: Jid, host: string, most: number, since: number): Promise<RoomMessage[]> {
    const { store } = this.parts;
    await store.upToNow();
    const owner = await store.addresses.find(room.bare);
    if (!owner || most <= 0) return [];
    const oldest = Math.max(this.parts.floorOf(host), owner.goneBefore, firstKeyAt(since));
    const found: RoomMessage[] = [];
    for (let before = END, seen = 0; found.length < most && seen < MOST;) {
      const slice = await store.reading.page({ owner: owner.id, after: oldest - 1, before }, SLICE, true);
      for (const message of slice) {
        if (found.length < most && (message.flags & (TEXT | RETRACTED)) !== 0) found.push(messageOf(message));
      }
      if (slice.length < SLICE) break;
      before = slice.at(-1)!.key;
      seen += slice.length;
    }
    return found.reverse();
  }

  answer(request: IqRequest, room: Jid, { host, addresses }: RoomView): Answer | Promise<Answer> {
    const { answering } = this.parts;
    const shelf: Shelf = { owner: room, floor: this.parts.floorOf(host), shown: addresses ? undefined : withoutItem };
    const { payload, session } = request;
    if (payload.name === 'metadata') return answering.metadata(shelf);
    if (payload.name !== 'query') return refuse('feature-not-implemented');
    if (request.type === 'get') return queryForm();
    // results go by the session's pace
    if (!session) return refuse('not-allowed', 'Archives are for accounts of this server.');
    const query = readQuery(payload);
    if (query instanceof StanzaError) return query;
    const { with: wanted } = query;
    // what the room says is what all of its occupants say; who they are is not for everybody to ask
    const only =
      wanted?.bare === room.bare ? (wanted.isBare ? undefined : isFrom(wanted)) : addresses ? undefined : nothing;
    const asked = { ...query, with: wanted && addresses && wanted.bare !== room.bare ? wanted.toBare() : undefined };
    return answering.query(asked, wanted ? { ...shelf, only } : shelf, session, this.parts.pageOf(host));
  }

  async unread(
    room: Jid,
    account: Jid,
    { host, after, since }: { readonly host: string; readonly after: string | undefined; readonly since: number },
  ): Promise<RoomUnread | undefined> {
    const { store } = this.parts;
    await store.upToNow();
    const owner = await store.addresses.find(room.bare);
    if (!owner) return undefined;
    const own = (await store.addresses.find(account.bare))?.id;
    const lowest = Math.max(this.parts.floorOf(host), owner.goneBefore, firstKeyAt(since)) - 1;
    const all = { owner: owner.id, after: lowest, before: END };
    const [newest] = await store.reading.page(all, 1, true);
    if (!newest) return undefined;
    const { text, shown } = await this.standing(all);
    let unread = 0;
    let first = 0;
    for (let behind = Math.max(lowest, keyOf(after ?? '') ?? 0); text > behind && unread < MOST_UNREAD;) {
      const slice = await store.reading.entries({ ...all, after: behind }, MOST, false);
      for (const { id, peer, flags } of slice) {
        if (flags !== INCOMING_TEXT || peer === own) continue;
        unread++;
        first ||= id;
      }
      if (slice.length < MOST) break;
      behind = slice.at(-1)!.id;
    }
    return { unread: Math.min(unread, MOST_UNREAD), first, last: newest.key, id: newest.id, text, shown };
  }

  /** The last text that stands, and what shows it: itself, or its author's last correction of it (XEP-0308). */
  private async standing(all: Span): Promise<{ text: number; shown: number }> {
    const { reading, conversations } = this.parts.store;
    const corrections: Entry[] = [];
    for (let before = END, seen = 0; seen < MOST;) {
      const slice = await reading.entries({ ...all, before }, SLICE, true);
      for (const entry of slice) {
        if ((entry.flags & (CORRECTS | RETRACTED)) === CORRECTS) corrections.push(entry);
        if (entry.flags !== INCOMING_TEXT) continue;
        const own = corrections.filter(({ peer }) => peer === entry.peer);
        return { text: entry.id, shown: await conversations.shownFor(entry, own) };
      }
      if (slice.length < SLICE) break;
      before = slice.at(-1)!.id;
      seen += slice.length;
    }
    // what was corrected is there no more
    const last = corrections[0]?.id ?? 0;
    return { text: last, shown: last };
  }

  async forget(room: Jid): Promise<void> {
    await this.parts.store.forget(room.bare);
  }

  /** Gives a message its stanza id. */
  private name(room: Jid, packet: Packet): string {
    const id = this.parts.ids.next();
    packet.append(`<stanza-id xmlns='${NS.stanzaIds}' id='${id}' by='${wireJid(room)}'/>`);
    return id;
  }

  private row(packet: Packet, id: string, sender: Address, recipient: Address, author: Jid): NewMessage {
    const wire = packet.wire();
    const end = wire.length - '</message>'.length;
    const stanza = `${wire.slice(0, end)}${ITEM}${wireJid(author)}'/></x></message>`;
    const flags = RECEIVED | contentFlags(packet);
    return { id, key: keyOf(id)!, sender, recipient, flags, mark: markOf(packet.id), stanza };
  }
}

function messageOf({ id, key, flags, stanza }: Kept): RoomMessage {
  return { id, at: timeOf(key), retracted: (flags & RETRACTED) !== 0, stanza: withoutItem(stanza) };
}

/** The account that said what is kept of a room's message, and the room; undefined for what is none. */
export function authorOf(wire: string): { author: Jid; room: Jid } | undefined {
  const at = wire.lastIndexOf(ITEM);
  if (at < 0) return undefined;
  const stanza = indexed(wire);
  const author = stanza.kidElement(stanza.children().at(-1)!).getChild('item')?.attrs.jid as string | undefined;
  const [room, by] = [parseJid(stanza.attr('from') ?? ''), parseJid(author ?? '')];
  return room && by && { room: room.toBare(), author: by.toBare() };
}

/** Without the address of who said it. */
export function withoutItem(stanza: string): string {
  const at = stanza.lastIndexOf(ITEM);
  return at < 0 ? stanza : `${stanza.slice(0, at)}</message>`;
}

/** XEP-0424 5, XEP-0425 5: what is left of a message: who said it, and what it was replaced by. */
function tombstoneOf(wire: string, retracted: string): string {
  const stanza = indexed(wire);
  let left = '';
  for (const kid of stanza.children()) {
    const xmlns = stanza.kidXmlns(kid);
    if (xmlns === NS.occupantIds || xmlns === NS.stanzaIds) left += stanza.kidRaw(kid);
  }
  const item = wire.lastIndexOf(ITEM);
  return `${wire.slice(0, stanza.headEnd)}>${left}${retracted}${item < 0 ? '</message>' : wire.slice(item)}`;
}

/** Whether an occupant said a message. */
function isFrom(occupant: Jid): (message: Kept) => boolean {
  const from = `<message from='${wireJid(occupant)}' `;
  return ({ stanza }) => stanza.startsWith(from);
}

const nothing = (): boolean => false;
