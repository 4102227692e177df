import { createHash } from 'node:crypto';
import type { Portable } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { type Element, parseElement, serialize, xml } from '../../src/xml/index.ts';
import { base32, ID } from '../stanza-id/contract.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { MailboxParts } from './parts.ts';
import type { Arrival } from './store.ts';

const PIE = 'urn:xmpp:pie:0';
/** Of a page. */
const MESSAGES = 200;
const BYTES = 512 * 1024;

/** Messages that wait, as they are carried to other servers: XEP-0227 4.5. */
export function portableMessages(
  { store, page }: Pick<MailboxParts, 'store' | 'page'>,
  boxes: Mailboxes,
  hasRoom: (account: Jid, arrival: Arrival) => Promise<boolean>,
): Portable {
  return {
    name: 'offline messages',
    container: { name: 'offline-messages', xmlns: PIE },
    entry: { name: 'message', xmlns: NS.client },
    export: async (account, after) => {
      const rows = await page(account, after, MESSAGES, BYTES);
      return {
        entries: rows.flatMap(({ wire }) => (wire ? [serialize(parseElement(wire, NS.client), '')] : [])),
        ...(rows.length > 0 && { next: rows.at(-1)!.stanzaId }),
      };
    },
    import: async (account, entry, place) => {
      if (!parseJid(String(entry.attrs.from ?? ''))) return { refused: 'the message has no sender' };
      const to = parseJid(String(entry.attrs.to ?? ''));
      if (to?.bare !== account.bare) entry.attrs.to = account.bare;
      const arrival = arrivalOf(account, entry, place);
      const box = await boxes.of(account);
      if (await store.has(account, arrival.stanzaId)) return 'known';
      if (!(await hasRoom(account, arrival))) return { refused: 'too many messages wait for this account' };
      await box.add(arrival);
      return 'imported';
    },
  };
}

/**
 * The place of a message among others: by the id that this account gave it, or by its stamp and its number in the file, so that it is
 * the same whenever the file is read.
 */
function arrivalOf(account: Jid, message: Element, place: number): Arrival {
  const hash = createHash('sha256').update(serialize(message, NS.client), 'latin1').digest().readUInt32BE();
  const stamps = message.getChildren('delay', NS.delay).map(delay => Date.parse(String(delay.attrs.stamp)));
  const time = Math.max(0, ...stamps.filter(stamp => stamp > 0 && stamp < 2 ** 45));
  const at = time || Date.now();
  if (time === 0)
    message.append(xml('delay', { xmlns: NS.delay, from: account.domain, stamp: new Date(at).toISOString() }));
  const own = message
    .getChildren('stanza-id', NS.stanzaIds)
    .find(({ attrs }) => attrs.by === account.bare && ID.test(String(attrs.id)));
  const stanzaId = own ? String(own.attrs.id) : base32(time, 10) + base32(place, 5) + base32(hash >>> 2, 6);
  return { stanzaId, at, wire: serialize(message, NS.client) };
}
