/* What is said in rooms, for those who belong to them and are not there. Looked at behind the message, many of a busy room together. */
import type { NodeView, Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { atLeast, type RoomsService, type RoomView } from '../rooms/contract.ts';
import { keyOfRoom, type PushEvent } from './event.ts';
import { addressingOf, isMentioned } from './mentions.ts';
import { bodyOf, worthOf } from './notable.ts';
import type { Notifier } from './notifier.ts';
import type { KnownRegistrations } from './registrations.ts';

/** Messages of one room that wait to be looked at; of more, the first ones are left out. */
const MOST = 100;

interface Said {
  readonly packet: Packet;
  /** The bare address of who said it; undefined: nobody but `reached` is to be told. */
  readonly author: Jid | undefined;
  /** Accounts that have it in a session which may not know of it, whether or not they belong to the room. */
  readonly reached: Jid[];
}

export interface GroupParts {
  readonly node: Pick<NodeView, 'hosts'>;
  readonly registrations: KnownRegistrations;
  readonly notifier: Notifier;
  readonly rooms: RoomsService;
  /** Whether accounts of a host are told, and whether of the text. */
  told(host: string): boolean;
  withBody(host: string): boolean;
  failed(error: unknown): void;
}

export class GroupMessages {
  private readonly parts: GroupParts;
  /** By the room's address. */
  private readonly waiting = new Map<string, Said[]>();

  constructor(parts: GroupParts) {
    this.parts = parts;
  }

  said(room: RoomView, packet: Packet, author: Jid): void {
    if (worthOf(packet) !== undefined) this.add(room.jid, { packet, author, reached: [] });
  }

  /** What has just been said is on its way to a session that waits or sleeps. */
  reached(packet: Packet, account: Jid): void {
    const last = this.waiting.get(packet.from.bare)?.at(-1);
    // copies of one message are made of the same markup
    if (last?.packet.stanza === packet.stanza && last.author?.bare !== account.bare) last.reached.push(account);
  }

  /** A session has not acknowledged it, and lost its connection. */
  missed(packet: Packet, account: Jid): void {
    if (worthOf(packet) !== undefined)
      this.add(packet.from.toBare(), { packet, author: undefined, reached: [account] });
  }

  private add(room: Jid, said: Said): void {
    const waiting = this.waiting.get(room.bare);
    if (waiting) {
      waiting.push(said);
      if (waiting.length > MOST) waiting.shift();
      return;
    }
    this.waiting.set(room.bare, [said]);
    setImmediate(() => void this.look(room));
  }

  private async look(room: Jid): Promise<void> {
    try {
      // what comes meanwhile is looked at in the next round
      for (let said = this.waiting.get(room.bare)!; said.length > 0; said = this.waiting.get(room.bare)!) {
        this.waiting.set(room.bare, []);
        await this.tell(room, said);
      }
    } catch (error) {
      this.parts.failed(error);
    } finally {
      this.waiting.delete(room.bare);
    }
  }

  private async tell(address: Jid, said: readonly Said[]): Promise<void> {
    const { node, registrations, notifier, rooms, told, withBody } = this.parts;
    const reached = new Map(said.flatMap(each => each.reached.map(jid => [jid.bare, jid] as const)));
    const nicks = new Map<string, string>();
    const members = new Set<string>();
    const accounts: Jid[] = [];
    let isPrivate = false;
    await rooms.with(address, room => {
      if (!room?.isThere) return;
      isPrivate = room.config.membersOnly;
      const add = (jid: Jid): void => {
        if (!node.hosts.has(jid.domain) || !told(jid.domain)) return;
        accounts.push(jid);
        nicks.set(jid.bare, room.nickOf(jid));
      };
      if (room.config.persistent)
        for (const { jid, affiliation } of room.affiliated()) {
          if (!atLeast(affiliation, 'member')) continue;
          members.add(jid.bare);
          add(jid);
        }
      for (const [bare, jid] of reached) if (!members.has(bare)) add(jid);
    });
    const messages = said.map(each => ({ ...each, ...readRoomMessage(each.packet) }));
    await registrations.among(accounts, (account, all) => {
      const isMember = members.has(account.bare);
      const own = [nicks.get(account.bare) ?? ''];
      for (const { packet, author, reached: some, body, key, addressing } of messages) {
        if (author?.bare === account.bare) continue;
        if (!(author && isMember) && !some.some(({ bare }) => bare === account.bare)) continue;
        const isMention = (nick: string | undefined): boolean =>
          isMentioned(addressing, { account, room: address, nicks: nick === undefined ? own : [...own, nick] });
        const event: PushEvent = {
          kind: 'message',
          key,
          from: packet.from,
          body: withBody(account.domain) ? body : '',
          isStored: false,
          room: { isPrivate, isMention },
        };
        notifier.noticeFor(account, event, all);
      }
    });
  }
}

function readRoomMessage(packet: Packet) {
  const body = bodyOf(packet);
  return { body, key: keyOfRoom(packet), addressing: addressingOf(packet.stanza, body) };
}
