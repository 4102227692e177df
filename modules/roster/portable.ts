import type { Imported, Portable } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';
import type { RosterItem, Subscription } from './contract.ts';
import type { Rosters } from './rosters.ts';
import { itemWire } from './wire.ts';

/** Contacts of a page. */
const PAGE = 500;
const SUBSCRIPTIONS: readonly string[] = ['none', 'to', 'from', 'both'];

/** Rosters as they are carried to other servers: XEP-0227 4.4. */
export function portableRoster(rosters: Rosters): Portable {
  return {
    name: 'roster',
    container: { name: 'query', xmlns: NS.roster },
    entry: { name: 'item', xmlns: NS.roster },
    export: async (account, after) => {
      const items = await rosters.get(account);
      const contacts = [...items.keys()].filter(contact => contact > after).toSorted();
      const page = contacts.slice(0, PAGE);
      return {
        entries: page.map(contact => itemWire(items.get(contact)!)),
        ...(contacts.length > PAGE && { next: page.at(-1)! }),
      };
    },
    import: (account, entry) => take(rosters, account, entry),
  };
}

async function take(rosters: Rosters, account: Jid, entry: Element): Promise<Imported> {
  const { jid = '', subscription = 'none', ask, approved, name } = entry.attrs as Record<string, string | undefined>;
  const contact = parseJid(jid)?.toBare();
  if (!contact) return { refused: `'${jid}' is not an address` };
  if (!SUBSCRIPTIONS.includes(subscription)) return { refused: `there is no subscription '${subscription}'` };
  if (contact.bare === account.bare) return { refused: 'nobody is a contact of his own' };
  const groups = [...new Set(entry.getChildren('group', NS.roster).map(group => group.getText()))].filter(Boolean);
  const wanted: RosterItem = {
    ...rosters.blank(contact),
    name: name || undefined,
    subscription: subscription as Subscription,
    ask: ask === 'subscribe',
    approved: approved === 'true' || approved === '1',
    groups,
  };
  if (!(await rosters.hasRoomFor(account, contact, wanted))) return { refused: 'the roster is full' };
  const { before, after } = await rosters.change(account, contact, item =>
    item && itemWire(item) === itemWire(wanted) ? item : wanted,
  );
  return before === after ? 'known' : 'imported';
}
