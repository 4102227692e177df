/*
 * Bookmarks of rooms are one list, in whichever of three ways a client keeps them: an item each (XEP-0402), which is where they are; the
 * list in a node (XEP-0048) and in private storage (XEP-0049), which follow.
 */
import { attached, defineModule, InTurn } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { StanzaError } from '../../src/protocol/index.ts';
import { type Element, parseElement } from '../../src/xml/index.ts';
import { PrivateStorage } from '../private-storage/contract.ts';
import { MAX, Pubsub } from '../pubsub/contract.ts';
import { Bookmarks } from './contract.ts';
import { type Conference, isSame, NATIVE, ofItem, ofStorage, OLD, toItem, toStorage } from './conferences.ts';

/** XEP-0402 4.3, XEP-0223: for the account alone. */
const PRIVATE = { persistItems: true, accessModel: 'whitelist' } as const;
const NATIVE_CONFIG = { ...PRIVATE, maxItems: MAX, sendLastPublishedItem: 'never' } as const;
const OLD_CONFIG = { ...PRIVATE, maxItems: 1 } as const;
const CURRENT = 'current';

export default defineModule({
  name: 'bookmarks',
  doc: 'Keeps bookmarks of rooms the same, in whichever of the three ways a client knows.',
  xeps: [
    { number: 402, version: '1.2.1' },
    { number: 48, version: '1.2', note: 'Converted to and from XEP-0402.' },
  ],
  needs: ['pubsub'],
  after: ['private-storage'],
  setup(mod) {
    const nodes = mod.use(Pubsub);
    mod.feature('account', `${NATIVE}#compat-pep`);

    // ---- the list of an account -----------------------------------------------------------------------------------------------

    interface Kept {
      readonly conference: Conference;
      readonly element: Element;
      readonly id: string;
    }

    /** In the order of their making. */
    async function kept(account: Jid): Promise<Map<string, Kept>> {
      const all = new Map<string, Kept>();
      for (const { id, payload } of (await nodes.items(account, NATIVE)).toReversed()) {
        const element = payload === '' ? undefined : parseElement(payload, '');
        const conference = element && ofItem(id, element);
        if (element && conference) all.set(conference.jid, { conference, element, id });
      }
      return all;
    }

    async function oldList(account: Jid): Promise<Element | undefined> {
      const [item] = await nodes.items(account, OLD);
      return item === undefined || item.payload === '' ? undefined : parseElement(item.payload, '');
    }

    /** A client has written the whole list: what is different in it is published, what is not in it retracted (XEP-0402 6.3.2). */
    async function take(account: Jid, list: Element): Promise<void> {
      const wanted = ofStorage(list);
      const before = await kept(account);
      const changed = [...wanted.values()].filter(
        conference => !isSame(conference, before.get(conference.jid)?.conference),
      );
      const items = changed.map(conference => {
        const known = before.get(conference.jid);
        return { id: known?.id ?? conference.jid, payload: toItem(conference, known?.element) };
      });
      if (items.length > 0) {
        const refused = await nodes.publish(account, NATIVE, items, NATIVE_CONFIG);
        if (refused instanceof StanzaError) {
          mod.log.debug({ condition: refused.condition }, 'bookmarks could not be taken over');
          return;
        }
      }
      const gone = [...before].filter(([jid]) => !wanted.has(jid)).map(([, { id }]) => id);
      if (gone.length > 0) await nodes.retract(account, NATIVE, gone);
    }

    /** The list in a node follows, for clients that know no other (XEP-0402 6.3.1). */
    async function follow(account: Jid): Promise<void> {
      const all = [...(await kept(account)).values()].map(({ conference }) => conference);
      const before = await oldList(account);
      const listed = before ? ofStorage(before) : new Map<string, Conference>();
      if (listed.size === all.length && all.every(conference => isSame(conference, listed.get(conference.jid)))) return;
      const payload = toStorage(all, before);
      const refused = await nodes.publish(account, OLD, [{ id: CURRENT, payload }], OLD_CONFIG);
      if (refused instanceof StanzaError)
        mod.log.debug({ condition: refused.condition }, 'the list of bookmarks did not follow');
    }

    // ---- what clients do ------------------------------------------------------------------------------------------------------

    const turns = new InTurn();
    /** Of one account one after the other. */
    function inTurn(account: Jid, work: () => Promise<void>): Promise<void> {
      return turns.run(account.bare, work).catch((error: unknown) => {
        mod.log.error({ err: error }, 'bookmarks are not the same in all ways of keeping them');
      });
    }

    mod.cleanup(
      nodes.onEvent(({ account, node, by, published }) => {
        if (!mod.enabled(account.domain)) return undefined;
        if (node === NATIVE) return inTurn(account, () => follow(account));
        const [item] = published;
        // what this module has published itself says nothing new
        if (node !== OLD || by.isBare || !item || item.payload === '') return undefined;
        return inTurn(account, () => take(account, parseElement(item.payload, '')));
      }),
    );

    const storage = attached(mod, PrivateStorage, service =>
      service.share({
        name: 'storage',
        xmlns: OLD,
        serves: host => mod.enabled(host),
        read: async (account, stored) => {
          await turns.ended(account.bare);
          if (!(await nodes.has(account, NATIVE))) return stored;
          const all = [...(await kept(account)).values()].map(({ conference }) => conference);
          return toStorage(all, stored);
        },
        stored: async (account, document) => {
          await inTurn(account, () => take(account, document));
          // the list in a node follows
          await turns.ended(account.bare);
        },
      }),
    );

    mod.feature(
      'account',
      `${NATIVE}#compat`,
      host => storage() !== undefined && mod.node.moduleEnabled('private-storage', host),
    );

    // what was there before anybody kept bookmarks as items becomes items when its account comes next, or somebody makes the first for it
    const adopt = async (account: Jid): Promise<void> => {
      if (!mod.enabled(account.domain)) return;
      await inTurn(account, async () => {
        if (await nodes.has(account, NATIVE)) return;
        const list = (await oldList(account)) ?? (await storage()?.get(account, 'storage', OLD));
        if (list && ofStorage(list).size > 0) await take(account, list);
      });
    };
    mod.when('bound', session => (session.anonymous ? undefined : adopt(session.user.jid)));
    mod.provide(Bookmarks, { adopt });
  },
});
