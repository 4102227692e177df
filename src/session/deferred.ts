import { type Packet, PRESENCE } from '../bus/index.ts';

/** Senders whose presence is kept; with more of them all is sent. */
const MOST = 1024;

/**
 * What a client that said <inactive/> (XEP-0352) can wait for: presence, of which only the newest of each sender matters, and
 * messages that hold nothing but a chat state. It is sent before the next thing that cannot wait, so that order is kept.
 */
export class Deferred {
  #presence = new Map<string, Packet>();

  get size(): number {
    return this.#presence.size;
  }

  /** Whether the stanza can wait; if so it is kept. */
  keep(packet: Packet): boolean {
    if (packet.kind === PRESENCE) {
      if (packet.type !== '' && packet.type !== 'unavailable') return false;
      const key = packet.from.full;
      // the newest takes the newest place
      if (!this.#presence.delete(key) && this.#presence.size >= MOST) return false;
      this.#presence.set(key, packet);
      return true;
    }
    // XEP-0352 5.1: when it may wait, it may be left out
    return packet.isChatState;
  }

  take(): Packet[] {
    const all = [...this.#presence.values()];
    this.#presence.clear();
    return all;
  }
}
