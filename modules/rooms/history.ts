/* Discussion history: XEP-0045 7.2.13, 7.2.14. */
import { Packet } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { type Element, indexed, wireAttribute } from '../../src/xml/index.ts';

/** A message as everybody had it. */
interface Past {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** As it was sent. */
  readonly message: Packet;
  /** With the time when that was. */
  readonly delayed: Packet;
  /** Bytes of the whole stanza, without a recipient. */
  readonly size: number;
}

/** How much somebody who enters wants. */
export interface HistoryWishes {
  readonly maxStanzas: number;
  /** Of complete stanzas. */
  readonly maxChars: number;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** The last messages of a room that is awake. */
export class History {
  private past: Past[] = [];
  /** Whether what was said before the room woke is in it. */
  isLoaded = false;

  /** Takes the place of what there is: messages of an archive, wire strings, the oldest first. */
  load(room: Jid, messages: readonly { readonly at: number; readonly stanza: string }[]): void {
    this.past = [];
    this.isLoaded = true;
    for (const { at, stanza } of messages) {
      const from = parseJid(indexed(stanza).attr('from') ?? '');
      if (from) this.add(Packet.fromWire(stanza, from, undefined), room, at, messages.length);
    }
  }

  /** Adds a message, and keeps no more than the last `most`. */
  add(message: Packet, room: Jid, at: number, most: number): void {
    if (most === 0) return;
    // XEP-0203: from the room itself, when it was sent
    const delayed = message.readdressed(undefined);
    const stamp = new Date(at).toISOString();
    delayed.append(`<delay xmlns='${NS.delay}'${wireAttribute('from', room.full)} stamp='${stamp}'/>`);
    this.past.push({ at, message, delayed, size: delayed.wire().length });
    if (this.past.length > most) this.past.splice(0, this.past.length - most);
  }

  /** It was not sent after all. */
  remove(message: Packet): void {
    this.past = this.past.filter(each => each.message !== message);
  }

  /** The message of a stanza id is taken back, by who has an occupant id, or a moderator. False: it is somebody else's, and stays. */
  retract(id: string, by?: string): boolean {
    const found = this.past.find(({ message }) => isNamed(message, id));
    if (!found) return true;
    if (by !== undefined && occupantIdOf(found.message) !== by) return false;
    this.past = this.past.filter(each => each !== found);
    return true;
  }

  /** What it holds is not what is to be told any more. */
  clear(): void {
    this.past = [];
    this.isLoaded = false;
  }

  /** The newest that fit into all that is wished, in their order. `to` are the bytes of the address of who gets them. */
  select({ maxStanzas, maxChars, since }: HistoryWishes, to: number): Packet[] {
    const { past } = this;
    let first = past.length;
    let chars = 0;
    while (first > 0 && past.length - first < maxStanzas) {
      const { at, size } = past[first - 1]!;
      chars += size + to;
      if (at < since || chars > maxChars) break;
      first--;
    }
    return past.slice(first).map(({ delayed }) => delayed);
  }
}

function isNamed(message: Packet, id: string): boolean {
  const kid = message.child('stanza-id', NS.stanzaIds);
  const own = /<stanza-id [^>]*id='([^']*)'[^>]*\/><\/message>$/.exec(message.wire())?.[1];
  return own === id || (kid !== undefined && message.stanza.kidElement(kid).attrs.id === id);
}

function occupantIdOf(message: Packet): string | undefined {
  const kid = message.child('occupant-id', NS.occupantIds);
  return kid === undefined ? undefined : (message.stanza.kidElement(kid).attrs.id as string | undefined);
}

/** Reads <history/>: what is no number or no date does not count. */
export function readWishes(x: Element, most: number, now: number): HistoryWishes {
  const attrs = (x.getChild('history', NS.muc)?.attrs ?? {}) as Record<string, string | undefined>;
  const number = (text: string | undefined, otherwise: number): number =>
    text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : otherwise;
  const since = Date.parse(attrs.since ?? '');
  return {
    maxStanzas: Math.min(number(attrs.maxstanzas, most), most),
    maxChars: number(attrs.maxchars, Infinity),
    since: Math.max(now - number(attrs.seconds, Infinity) * 1000, Number.isNaN(since) ? -Infinity : since),
  };
}
