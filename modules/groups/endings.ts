/* The end of a group (R107): all of its members are told, whether they are in it or not, also after a kill in between. */
import type { Logger } from 'pino';
import { type NodeView, Packet } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';
import type { Affiliated, Farewell, GoneRoom, RoomView, RoomsService } from '../rooms/contract.ts';
import { GROUPS } from './errors.ts';
import { type Group, membersOf } from './groups.ts';
import type { GroupStore } from './store.ts';

/** Messages that are sent before others have their turn. */
const PORTION = 100;

interface Ended {
  readonly name: string;
  readonly number: number;
  readonly kind: string;
  readonly by: string;
  readonly members: readonly string[];
  readonly reason?: string;
}

export class Endings {
  private readonly node: NodeView;
  private readonly store: GroupStore;
  private readonly log: Logger;
  /** Groups that are about to end, by the numbers of their rooms. */
  private readonly begun = new Map<number, Ended>();
  private telling: Promise<void> = Promise.resolve();

  constructor(node: NodeView, store: GroupStore, log: Logger) {
    this.node = node;
    this.store = store;
    this.log = log;
  }

  /** Writes down who is to be told, before the room ends. */
  async begin(
    room: RoomView,
    { number, kind }: Group,
    by: Jid,
    { reason }: Farewell,
    told: Iterable<Affiliated> = membersOf(room),
  ): Promise<void> {
    const members = [...told].map(({ jid }) => jid.bare);
    const { name } = room.config;
    const ended: Ended = { name, number, kind, by: by.bare, members, ...(reason ? { reason } : {}) };
    await this.store.farewells.bid({ room: room.id, jid: room.jid.bare, farewell: JSON.stringify(ended) });
    this.begun.set(room.id, ended);
  }

  /** Ends a group; `told`: left out, all of its members are. */
  async end(
    room: RoomView,
    group: Group,
    by: Jid,
    farewell: Farewell = {},
    told?: Iterable<Affiliated>,
  ): Promise<void> {
    await this.begin(room, group, by, farewell, told);
    await room.destroy(farewell, by);
  }

  /** A room is gone. */
  gone({ id, jid }: GoneRoom): void {
    const ended = this.begun.get(id);
    this.begun.delete(id);
    if (!ended) return this.unmade(jid);
    this.follow(async () => {
      await this.store.remove(jid, true);
      await this.tell(id, jid, ended);
    });
  }

  /** A room was given up that was still being made: nobody's group any more. At once, so that who makes another by its name claims it behind that. */
  private unmade(jid: Jid): void {
    this.store.remove(jid).catch((error: unknown) => this.log.error({ err: error }, 'a group may be kept'));
  }

  /** What was not told when the program ended is told now; of a room that did not end after all, nothing. */
  async catchUp(rooms: RoomsService): Promise<void> {
    for (const kept of await this.store.farewells.all()) {
      const { room: id, jid, farewell } = kept;
      const address = parseJid(jid);
      if (!address || this.begun.has(id)) continue;
      const there = await rooms.with(address, room => room?.id === id);
      if (there) await this.store.farewells.spare(kept);
      else await this.tell(id, address, JSON.parse(farewell) as Ended);
    }
  }

  private async tell(id: number, room: Jid, { name, number, kind, by, members, reason }: Ended): Promise<void> {
    const called = name === '' ? room.bare : `'${name}'`;
    const body = `The group ${called} was ended${reason ? `: ${reason}` : '.'}`;
    const dissolved = xml('dissolved', { xmlns: GROUPS, name, number, kind, by }, reason && xml('reason', {}, reason));
    const message = xml(
      'message',
      { type: 'normal' },
      xml('body', {}, body),
      dissolved,
      xml('store', { xmlns: NS.hints }),
    );
    const packet = Packet.of(message, room, undefined);
    for (const [index, text] of members.entries()) {
      const member = parseJid(text);
      if (member && this.node.hosts.has(member.domain)) {
        const copy = packet.readdressed(member);
        await this.node.route(copy);
        // until it is stored for those who are away
        await copy.held;
      }
      if (index % PORTION === PORTION - 1) await new Promise(resolve => setImmediate(resolve));
    }
    await this.store.farewells.told(id);
  }

  private follow(job: () => Promise<void>): void {
    this.telling = this.telling.then(job).catch((error: unknown) => {
      this.log.error({ err: error }, 'the members of a group may not know that it ended');
    });
  }

  /** Resolved when all is told. */
  done(): Promise<void> {
    return this.telling;
  }
}
