/* vcard-temp (XEP-0054): a card for each account, which everybody may read and its owner writes. */
import { defineModule, defineOptions, Empty, type MaybePromise, option } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS, refuse } from '../../src/protocol/index.ts';
import { type Element, parseElement, serialize, xml } from '../../src/xml/index.ts';
import { type VcardListener, Vcards, type VcardView } from './contract.ts';
import { vcardStore } from './store.ts';

/** XEP-0054 3.2. */
const FORBIDDEN = refuse('forbidden');

/** A card as it stands alone. */
function declared(card: string): string {
  return serialize(parseElement(card, NS.vcard), '');
}

export default defineModule({
  name: 'vcard',
  doc: 'Keeps the vCard of each account.',
  xeps: [{ number: 54, version: '1.3.0' }],
  features: { host: [NS.vcard], account: [NS.vcard] },
  options: defineOptions({
    size: option.size({
      default: 131_072,
      minimum: 1024,
      maximum: 1_048_576,
      doc: 'Largest vCard, photo included.',
      reload: 'live',
    }),
  }),
  stores: { cards: vcardStore },
  setup(mod) {
    const { cards } = mod.stores;
    const views = new Set<VcardView>();
    const listeners = new Set<VcardListener>();
    const changes = new Set<(account: Jid) => MaybePromise<void>>();
    const changed = async (account: Jid): Promise<void> => {
      for (const listener of changes) await listener(account.toBare());
    };
    const shownBy = async (account: Jid, who: Jid, card: Element | undefined): Promise<Element | undefined> => {
      let shown = card;
      for (const view of views) shown = await view(account.toBare(), who, shown);
      return shown;
    };
    mod.provide(Vcards, {
      get: async account => {
        const card = await cards.get(account);
        return card === undefined ? undefined : parseElement(card, NS.vcard);
      },
      addView: view => {
        views.add(view);
        return () => void views.delete(view);
      },
      onSet: listener => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      onChange: listener => {
        changes.add(listener);
        return () => void changes.delete(listener);
      },
    });
    mod.iq({ xmlns: NS.vcard, name: 'vCard', type: 'get', to: 'account', from: 'anyone' }, async request => {
      const stored = await cards.get(request.to);
      const card = stored === undefined ? undefined : parseElement(stored, NS.vcard);
      const shown = await shownBy(request.to, request.from, card);
      if (shown) return shown;
      // XEP-0054 3.1, 3.3: an owner without one gets an empty one; others are told no more than of an account that is not there
      return request.own ? xml('vCard', { xmlns: NS.vcard }) : refuse('service-unavailable');
    });
    const absent = { bare: FORBIDDEN };
    mod.iq({ xmlns: NS.vcard, name: 'vCard', type: 'set', to: 'account', from: 'anyone', absent }, async request => {
      if (!request.own) return FORBIDDEN;
      const wire = serialize(request.payload, NS.vcard);
      const { size } = mod.options(request.to.domain);
      if (wire.length > size) return refuse('not-acceptable', `A vCard has at most ${size} bytes.`);
      const before = listeners.size === 0 ? undefined : await cards.get(request.to);
      await cards.set(request.to, wire);
      const account = request.to.toBare();
      for (const listener of listeners)
        await listener(account, request.payload, before === undefined ? undefined : parseElement(before, NS.vcard));
      await changed(account);
      return Empty;
    });
    mod.iq({ xmlns: NS.vcard, name: 'vCard', type: 'get', to: 'host' }, () =>
      xml('vCard', { xmlns: NS.vcard }, xml('FN', {}, 'Posthouse'), xml('DESC', {}, 'XMPP server')),
    );
    // XEP-0227 4.7
    mod.add('portable', {
      name: 'vCard',
      entry: { name: 'vCard', xmlns: NS.vcard },
      export: async account => {
        const card = await cards.get(account);
        return { entries: card === undefined ? [] : [declared(card)] };
      },
      import: async (account, entry) => {
        const wire = serialize(entry, NS.vcard);
        const { size } = mod.options(account.domain);
        if (wire.length > size) return { refused: `a vCard has at most ${size} bytes` };
        if ((await cards.get(account)) === wire) return 'known';
        await cards.set(account, wire);
        await changed(account);
        return 'imported';
      },
    });
    mod.when('accountRemoved', jid => cards.remove(jid));
  },
});
