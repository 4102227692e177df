import { inParallel } from './client.ts';
import { RUN, stamp, Talk } from './talk.ts';
import type { Wire } from './wire.ts';

/** As long as what is behind the stamp in a chat message's body. */
const FILLER = ' good morrow, cousin; is the day so yo';
/** What a server adds: addresses and ids. The floor's messages have it from the beginning, so that the same bytes are written. */
const ADDED =
  ` from='bench200@conference.localhost/n00' to='bench00@localhost/bench'` +
  `<stanza-id xmlns='urn:xmpp:sid:0' id='000000000000000000000' by='bench200@conference.localhost'/>` +
  `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='0000000000000000000000000000000000000000000'/>`;

/** One of those in a room. */
export interface Occupant {
  readonly wire: Wire;
  /** Its number, from 0. */
  readonly number: number;
}

/** Enters a room (XEP-0045 7.2), which is made where it is not there, with nothing of what was said before. Resolved when it is in. */
export async function enter({ wire, number }: Occupant, room: string, most = 120_000): Promise<void> {
  wire.write(
    `<presence to='${room}/n${number}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>`,
  );
  const own = /<presence[^>]*type=['"]error['"].*?<\/presence>|<status code=['"]110['"]\/>/s;
  const answer = (await wire.until(own, most))[0];
  if (answer.startsWith('<presence')) throw new Error(`entering ${room}: ${answer.slice(0, 400)}`);
}

/** Opens a room for others as it is by default (10.1.2), or so that it stays when everybody has left. */
export async function unlock({ wire }: Occupant, room: string, stays = false): Promise<void> {
  const field = (name: string, value: string): string => `<field var='${name}'><value>${value}</value></field>`;
  const form = stays
    ? field('FORM_TYPE', 'http://jabber.org/protocol/muc#roomconfig') + field('muc#roomconfig_persistentroom', '1')
    : '';
  wire.write(
    `<iq type='set' id='unlock' to='${room}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>${form}</x></query></iq>`,
  );
  const [answer] = await wire.until(/<iq[^>]*id=['"]unlock['"][^>]*>/s);
  if (/type=['"]error/.test(answer)) throw new Error(`unlocking ${room}: ${answer}`);
}

/** All enter a room, the first of them first. */
export async function gather(occupants: readonly Occupant[], room: string): Promise<void> {
  const [first, ...others] = occupants;
  await enter(first!, room);
  await unlock(first!, room);
  await inParallel(others.length, 8, i => enter(others[i]!, room));
}

/**
 * A room in which one speaks after the other: who is next does when it hears the one before, so that as many messages are on the way as
 * the window says. Each is delivered to everybody.
 */
export class RoomTalk extends Talk {
  private readonly occupants: readonly Occupant[];
  /** Undefined for the floor, which writes to all what it gets. */
  private readonly room: string | undefined;
  private sent = 0;

  constructor(occupants: readonly Occupant[], room: string | undefined) {
    super();
    this.occupants = occupants;
    this.room = room;
    const { length } = occupants;
    for (const { wire, number } of occupants) {
      this.listen(wire, (text, _from, body) => {
        const turn = Number(text.slice(body + 14, body + 22));
        return this.running && (turn + 1) % length === number ? this.next(turn + 1) : '';
      });
    }
  }

  start(window: number): void {
    this.running = true;
    for (let i = 0; i < window; i++) this.say(Math.floor((i * this.occupants.length) / window));
  }

  say(turn: number): void {
    this.occupants[turn % this.occupants.length]!.wire.write(this.next(turn));
  }

  private next(turn: number): string {
    const { length } = this.occupants;
    this.onTheWay += length;
    const id = `g${RUN}${(this.sent++).toString(36).padStart(6, '0')}`;
    const body = `<body>${stamp()}${String(turn % (length * 100_000)).padStart(8, '0')}${FILLER}</body><origin-id xmlns='urn:xmpp:sid:0' id='${id}'/>`;
    return this.room === undefined
      ? `<message type='groupchat' id='${id}'>${body}<x>${ADDED.replaceAll(/[<>]/g, ' ')}</x></message>`
      : `<message to='${this.room}' type='groupchat' id='${id}'>${body}</message>`;
  }
}
