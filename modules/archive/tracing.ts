import type { Jid } from '../../src/jid/index.ts';
import { indexed } from '../../src/xml/index.ts';
import type { ArchiveService, Filed } from './contract.ts';
import { markOf, timeOf } from './key.ts';
import { type ArchiveStore, type Message, RECEIVED, RETRACTED, SENT, type Span } from './store.ts';

/** Entries that are looked through, and messages that are read, in one go. */
const ENTRIES = 5000;
const SLICE = 50;
/** Messages of one id that are told: a client that counts from 1 each time has more. */
const NAMED = 20;
const END = Number.MAX_SAFE_INTEGER;

const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Looks for messages on behalf of an operator, in whosever archive they are. */
export function lookingUp(store: ArchiveStore): Pick<ArchiveService, 'find' | 'named' | 'following'> {
  const { reading, addresses } = store;

  async function find(id: string): Promise<Filed | undefined> {
    const message = await reading.byId(id);
    return message && filed(message);
  }

  async function named(id: string, from: Jid | undefined, to: Jid | undefined): Promise<Filed[]> {
    const [sender, recipient] = [from && (await addresses.find(from.bare)), to && (await addresses.find(to.bare))];
    if ((from && !sender) || (to && !recipient)) return [];
    const out = new Map<string, Filed>();
    // of two people one may keep nothing
    for (const [owner, peer, side] of [
      [sender, recipient, SENT],
      [recipient, sender, RECEIVED],
    ] as const) {
      if (!owner) continue;
      const own = sender?.id === recipient?.id;
      const conversation = peer ? { peer: peer.id } : {};
      const span: Span = { owner: owner.id, ...conversation, after: owner.goneBefore - 1, before: END };
      for (const message of await marked(span, id, own ? SENT : side)) out.set(message.id, message);
    }
    return [...out.values()].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, NAMED);
  }

  /** Messages of a span that a client gave that id, the newest first. */
  async function marked(span: Span, id: string, side: number): Promise<Filed[]> {
    const mark = markOf(id);
    const out: Filed[] = [];
    for (let before = span.before; out.length < NAMED;) {
      const entries = await reading.entries({ ...span, before }, ENTRIES, true);
      for (const entry of entries) {
        if (entry.mark !== mark || (entry.flags & side) === 0) continue;
        const message = await reading.byKey(entry.id);
        if (message && indexed(message.stanza).id === id) out.push(filed(message));
      }
      if (entries.length < ENTRIES) break;
      before = entries.at(-1)!.id;
      await tick();
    }
    return out;
  }

  async function* following(id: string, most: number): AsyncGenerator<Filed> {
    const message = await reading.byId(id);
    if (!message) return;
    const { sender, recipient, key, flags } = message;
    const [owner, peer] = (flags & SENT) !== 0 ? [sender, recipient] : [recipient, sender];
    let after = key;
    for (let left = most; left > 0;) {
      const limit = Math.min(SLICE, left);
      const page = await reading.page({ owner, peer, after, before: END }, limit, false);
      for (const kept of page) yield filed(kept);
      if (page.length < limit) return;
      left -= page.length;
      after = page.at(-1)!.key;
      await tick();
    }
  }

  return { find, named, following };
}

function filed({ id, key, flags, stanza }: Pick<Message, 'id' | 'key' | 'flags' | 'stanza'>): Filed {
  return {
    id,
    at: timeOf(key),
    sent: (flags & SENT) !== 0,
    received: (flags & RECEIVED) !== 0,
    retracted: (flags & RETRACTED) !== 0,
    stanza,
  };
}
