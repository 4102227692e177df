import { andThen, eachInSlices, type MaybePromise, type SessionView } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { Found } from './finding.ts';
import type { RoomHouse } from './house.ts';
import { leave } from './leaving.ts';
import { Occupant, OccupantSession } from './occupants.ts';
import { NO_PARTS, partsOf } from './presence.ts';
import { atLeast, initialRole } from './roles.ts';
import { Room } from './room.ts';
import type { Policies } from './policies.ts';
import type { RoomStore } from './store.ts';
import type { Visit } from './visits.ts';

/** The rooms that are awake. One that is asleep is a row in the database, and is woken when somebody wants something of it. */
export class Rooms {
  private readonly house: RoomHouse;
  private readonly hostOf: (domain: string) => string | undefined;
  private readonly awake = new Map<string, Room>();
  /** Sessions that have ended, on their way out of their rooms. */
  private readonly leaving = new Set<Promise<void>>();

  constructor(house: Omit<RoomHouse, 'forget'>, hostOf: (domain: string) => string | undefined) {
    this.house = { ...house, forget: room => this.forget(room) };
    this.hostOf = hostOf;
  }

  get policies(): Policies {
    return this.house.policies;
  }

  get store(): RoomStore {
    return this.house.store;
  }

  get size(): number {
    return this.awake.size;
  }

  /** All that are awake. */
  all(): IterableIterator<Room> {
    return this.awake.values();
  }

  /** The listed rooms of a domain that somebody is in. */
  *occupied(domain: string): Generator<Found> {
    for (const { jid, state, occupants } of this.awake.values()) {
      if (jid.domain === domain && state?.config.listed && !state.locked && occupants.size > 0)
        yield { jid: jid.bare, config: state.config, occupants: occupants.size };
    }
  }

  /** How many are in a room. */
  occupants(bare: string): number {
    return this.awake.get(bare)?.occupants.size ?? 0;
  }

  /** The room of an address: what is asked of it waits until it is awake. */
  at(jid: Jid): Room {
    let room = this.awake.get(jid.bare);
    if (!room) {
      room = new Room(jid.toBare(), this.hostOf(jid.domain) ?? jid.domain, this.house);
      this.awake.set(jid.bare, room);
      room.wake();
    }
    return room;
  }

  private forget(room: Room): void {
    if (this.awake.get(room.jid.bare) === room) this.awake.delete(room.jid.bare);
  }

  /** Lets rooms sleep where nobody has been for so many milliseconds. */
  sleep(after: number, now = Date.now()): void {
    for (const room of this.awake.values()) {
      if (room.occupants.size === 0 && !room.isBusy && now - room.emptySince >= after) this.forget(room);
    }
  }

  /** A session is over: it is in no room any more. */
  ended(session: SessionView): Promise<void> {
    const leaving = this.leaveAll(session);
    const done = leaving.catch(() => {}).then(() => void this.leaving.delete(done));
    this.leaving.add(done);
    return leaving;
  }

  /** Resolved when all whose sessions have ended have left: rooms that are no more are then taken away. */
  async settled(): Promise<void> {
    while (this.leaving.size > 0) await Promise.all(this.leaving);
  }

  private async leaveAll(session: SessionView): Promise<void> {
    await Promise.all(
      this.house.visits.of(session).map(async ({ address }) => {
        const room = this.at(address);
        await room.do(() => {
          const client = room.occupants.client(session.jid);
          return client?.session === session ? leave(room, client) : undefined;
        });
      }),
    );
  }

  /** A session was in rooms before the program, or this module, began anew: nobody has seen it leave. */
  async restored(session: SessionView): Promise<void> {
    await Promise.all(
      this.house.visits.of(session).map(async visit => {
        const room = this.at(visit.address);
        await room.do(() => andThen(this.house.blocking()?.blockedBy(session), () => restore(room, session, visit)));
      }),
    );
  }

  /** Removes temporary rooms that nobody came back to. */
  async sweep(): Promise<void> {
    await this.each(await this.store.lists.temporary(), room => room.left());
  }

  /** Does something in the rooms where somebody asked to become a member before a time (milliseconds since 1970). */
  async awaited(before: number, job: (room: Room) => MaybePromise<void>): Promise<void> {
    await this.each(await this.store.lists.waitingSince(before), job);
  }

  private each(addresses: readonly string[], job: (room: Room) => MaybePromise<void>): MaybePromise<void> {
    return eachInSlices(addresses, async address => {
      const jid = parseJid(address);
      const room = jid && this.at(jid);
      await room?.do(() => job(room));
    });
  }
}

function restore(room: Room, session: SessionView, { address, role }: Visit): void {
  if (!session.alive || room.occupants.client(session.jid)) return;
  const account = session.jid.toBare();
  const affiliation = room.affiliationOf(account);
  const there = room.occupants.named(address.resource);
  const parts = session.presence ? partsOf(session.presence) : NO_PARTS;
  if (!room.state || affiliation === 'outcast' || (there && there.account.bare !== account.bare)) {
    room.house.visits.forget(session, room.jid);
    return;
  }
  const kept = atLeast(affiliation, 'admin') ? initialRole(room.config, affiliation) : role;
  const id = room.house.occupantId(room, account);
  const occupant = there ?? new Occupant(address, account, id, affiliation, kept, room.state.hats.shown(account));
  room.occupants.add(new OccupantSession(session.jid, occupant, session, parts));
}
