/* Discussion history: XEP-0045 7.2.13, 7.2.14. */
import type { Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';

/** A message as everybody had it. */
interface Past {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly packet: Packet;
  /** Bytes of the whole stanza, with its delay. */
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

  /** Keeps a message, and no more than the last `most`. */
  add(packet: Packet, room: Jid, at: number, most: number): void {
    if (most === 0) return;
    // XEP-0203: from the room itself, when it was sent
    const delayed = packet.readdressed(undefined);
    const stamp = new Date(at).toISOString();
    delayed.append(`<delay xmlns='${NS.delay}'${wireAttribute('from', room.full)} stamp='${stamp}'/>`);
    this.past.push({ at, packet: delayed, size: delayed.wire().length });
    if (this.past.length > most) this.past.splice(0, this.past.length - most);
  }

  clear(): void {
    this.past = [];
  }

  /** The newest that fit into all that is wished, in their order. */
  select({ maxStanzas, maxChars, since }: HistoryWishes, addressLength: number): Packet[] {
    const { past } = this;
    let first = past.length;
    let chars = 0;
    while (first > 0 && past.length - first < maxStanzas) {
      const { at, size } = past[first - 1]!;
      chars += size + addressLength;
      if (at < since || chars > maxChars) break;
      first--;
    }
    return past.slice(first).map(({ packet }) => packet);
  }
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
