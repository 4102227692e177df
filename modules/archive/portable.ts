import { createHash } from 'node:crypto';
import { Packet, type Imported, type Portable } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { type Element, parseElement, serialize } from '../../src/xml/index.ts';
import { base32, ID, type StanzaIdsService } from '../stanza-id/contract.ts';
import { contentFlags } from './keepable.ts';
import { firstKeyAt, idOf, keyOf, markOf, PER_MILLISECOND } from './key.ts';
import { stampOf } from './results.ts';
import { type ArchiveStore, type Kept, RECEIVED, RETRACTED, SENT } from './store.ts';

const PIE = 'urn:xmpp:pie:0#mam'; // XEP-0227 4.10
/** Messages that are read in one go, and bytes of a page. */
const SLICE = 50;
const BYTES = 512 * 1024;
const END = Number.MAX_SAFE_INTEGER;
/** ms that a message may be from the future, by a clock that is wrong. */
const AHEAD = 86_400_000;
const SECOND = 1000;

export interface PortableParts {
  readonly store: ArchiveStore;
  readonly ids: StanzaIdsService;
  /** The key before which an account's archive keeps nothing. */
  floor(account: Jid): number;
  now(): number;
  /** Told what is in its sender's archive now, or was before. */
  imported(message: Pick<Kept, 'key' | 'stanza'>): Promise<void>;
}

/**
 * An account's archive as it is carried to other servers: XEP-0227, the results of XEP-0313. What a server of this kind has written
 * keeps its ids, and is one message again for both of its archives. Ids of other kinds are made anew, from the time of the message and
 * its place in the file, so that they are the same whenever it is read.
 */
export function portableArchive({ store, ids, floor, now, imported }: PortableParts): Portable {
  /** Accounts whose archives are ready for messages of an earlier time. */
  const revived = new Map<string, Promise<void>>();

  function revive(account: Jid): Promise<void> {
    let done = revived.get(account.bare);
    if (!done) {
      done = store.revive(account.bare).finally(() => revived.delete(account.bare));
      revived.set(account.bare, done);
    }
    return done;
  }

  return {
    name: 'archive',
    container: { name: 'archive', xmlns: PIE },
    entry: { name: 'result', xmlns: NS.mam },
    export: async (account, after) => {
      const address = await store.addresses.find(account.bare);
      if (!address) return { entries: [] };
      const span = {
        owner: address.id,
        after: Math.max(floor(account), address.goneBefore, (keyOf(after) ?? 0) + 1) - 1,
        before: END,
      };
      const entries: string[] = [];
      let last: Kept | undefined;
      for (let bytes = 0, more = true; more && bytes < BYTES;) {
        const page = await store.reading.page(last ? { ...span, after: last.key } : span, SLICE, false);
        more = page.length === SLICE;
        for (const message of page) {
          entries.push(resultOf(message));
          bytes += message.stanza.length;
        }
        last = page.at(-1) ?? last;
      }
      return { entries, ...(last && { next: last.id }) };
    },
    import: async (account, entry, place): Promise<Imported> => {
      const forwarded = entry.getChild('forwarded', NS.forward);
      const element = forwarded?.getChild('message', NS.client);
      if (!element) return { refused: 'the result holds no message' };
      const from = parseJid(String(element.attrs.from ?? ''));
      const to = element.attrs.to === undefined ? account : parseJid(String(element.attrs.to));
      if (!from || !to) return { refused: 'the message has no sender, or an address that is none' };
      const side = from.bare === account.bare ? SENT : to.bare === account.bare ? RECEIVED : undefined;
      if (side === undefined) return { refused: 'the message is neither from this account nor to it' };

      const packet = Packet.fromWire(serialize(element, NS.client), from, to);
      ids.clean(packet, from);
      ids.clean(packet, to);
      const stamp = Date.parse(String(forwarded!.getChild('delay', NS.delay)?.attrs.stamp));
      const id = idFor(account, entry, packet, stamp, place);
      if (id === undefined) return { refused: 'the result has neither an id of this kind of server nor a time' };
      const key = keyOf(id)!;
      if (key > firstKeyAt(now() + AHEAD)) return { refused: 'the message is from the future' };

      await revive(account);
      const sender = await store.addresses.of(from.bare);
      const recipient = await store.addresses.of(to.bare);
      const retracted = packet.stanza.has('retracted', NS.retract);
      const flags = side | (retracted ? RETRACTED : contentFlags(packet));
      const message = { id, key, sender, recipient, flags, mark: markOf(packet.id), stanza: packet.wire() };
      const outcome = await store.import(message, side, time => ids.after(time));
      if (outcome === 'other') return { refused: 'another message has its id' };
      if (outcome === 'crowded') return { refused: 'too many messages have its time' };
      if (side === SENT) await imported(message);
      return outcome;
    },
  };
}

function resultOf({ id, key, stanza }: Kept): string {
  const delay = `<delay xmlns='${NS.delay}' stamp='${stampOf(key)}'/>`;
  // written anew, so that it is the same text wherever it came from
  const message = serialize(parseElement(stanza, NS.client), '');
  return `<result xmlns='${NS.mam}' id='${id}'><forwarded xmlns='${NS.forward}'>${delay}${message}</forwarded></result>`;
}

/** Its own id where it is one of ours, else one by its time, its place and what it is. Undefined where it has no time. */
function idFor(account: Jid, entry: Element, packet: Packet, stamp: number, place: number): string | undefined {
  const own = String(entry.attrs.id ?? '');
  if (ID.test(own) && keyOf(own) !== undefined) return own;
  if (!(stamp > 0 && stamp < 2 ** 43)) return undefined;
  // who counts seconds has many messages of one time, in the order of the file
  const room = stamp % SECOND === 0 ? SECOND * PER_MILLISECOND : PER_MILLISECOND;
  const hash = createHash('sha256').update(`${account.bare} ${own} ${packet.wire()}`, 'latin1').digest();
  const tail = base32(hash.readUIntBE(0, 6) % 2 ** 45, 9);
  return idOf(firstKeyAt(stamp) + (place % room), tail);
}
