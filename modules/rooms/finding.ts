import { configFromJson, DEFAULTS, type RoomConfig } from './config.ts';
import type { RoomLists } from './lists.ts';

/** Rooms that are read in one go; others get their turn between two. */
const SLICE = 200;

/** A room that is listed. */
export interface Found {
  readonly jid: string;
  readonly config: RoomConfig;
  readonly occupants: number;
}

/** By address, or those with most occupants first. */
export type Order = 'address' | 'users';

export interface RoomsToSearch {
  readonly lists: Pick<RoomLists, 'after'>;
  /** The rooms of a domain that somebody is in and that are listed. */
  occupied(domain: string): Iterable<Found>;
  /** How many are in a room. */
  occupants(jid: string): number;
}

/** A room with its place in the order, which says where a page goes on (XEP-0059). */
export interface Placed {
  readonly place: string;
  readonly room: Found;
}

export interface Wishes {
  readonly order: Order;
  readonly most: number;
  /** Only what comes behind that place. */
  readonly after: string | undefined;
  /** Only the last that come before it; '' is the end. */
  readonly before: string | undefined;
  fits(room: Found): boolean;
}

/** A page of the rooms that fit, which are listed at the moment they are looked at. */
export async function searchRooms(rooms: RoomsToSearch, domain: string, wishes: Wishes): Promise<Placed[]> {
  const { order, most, after, before, fits } = wishes;
  const page: Placed[] = [];
  if (most === 0) return page;
  const all = order === 'address' ? byAddress(rooms, domain, after ?? '') : byUsers(rooms, domain);
  const ends = before === undefined || before === '' ? undefined : placeOf(before);
  const begins = after === undefined ? undefined : placeOf(after);
  for await (const placed of all) {
    const place = placeOf(placed.place);
    if (ends && !isBefore(place, ends)) break;
    if ((begins && !isBefore(begins, place)) || !fits(placed.room)) continue;
    page.push(placed);
    if (before === undefined && page.length === most) break;
    if (page.length > most) page.shift();
  }
  return page;
}

/** 'jid', or 'users jid'. */
function placeOf(text: string): { users: number; jid: string } {
  const [, users, jid] = /^(\d{1,9}) (.*)$/s.exec(text) ?? [];
  return users === undefined ? { users: 0, jid: text } : { users: Number(users), jid: jid! };
}

type Place = ReturnType<typeof placeOf>;

function isBefore(a: Place, b: Place): boolean {
  return a.users === b.users ? compare(a.jid, b.jid) < 0 : a.users > b.users;
}

/** As databases do: by the numbers of the characters, which is also the order of their bytes. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

async function* byAddress(rooms: RoomsToSearch, domain: string, after: string): AsyncGenerator<Placed> {
  let last: string | undefined = after;
  while (last !== undefined) {
    const slice = await rooms.lists.after(domain, last, SLICE);
    for (const { jid, config } of slice)
      yield { place: jid, room: { jid, config: configFromJson(config, DEFAULTS), occupants: rooms.occupants(jid) } };
    last = slice.length < SLICE ? undefined : slice.at(-1)!.jid;
    if (last !== undefined) await new Promise(resolve => setImmediate(resolve));
  }
}

/** First those that somebody is in, who are few and in memory; then the others by address. */
async function* byUsers(rooms: RoomsToSearch, domain: string): AsyncGenerator<Placed> {
  const occupied = [...rooms.occupied(domain)].filter(({ occupants }) => occupants > 0);
  const known = new Set(occupied.map(({ jid }) => jid));
  const ordered = occupied.toSorted((a, b) => b.occupants - a.occupants || compare(a.jid, b.jid));
  for (const room of ordered) yield { place: `${room.occupants} ${room.jid}`, room };
  for await (const { room } of byAddress(rooms, domain, '')) {
    if (!known.has(room.jid)) yield { place: `0 ${room.jid}`, room: { ...room, occupants: 0 } };
  }
}
