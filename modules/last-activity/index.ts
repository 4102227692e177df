/* Last activity (XEP-0012): how long the server runs, how long an account has been away. */
import { defineModule } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';
import { Roster } from '../roster/contract.ts';
import { lastActivityStore } from './store.ts';

const LAST = 'jabber:iq:last';
const FORBIDDEN = refuse('forbidden');

export default defineModule({
  name: 'last-activity',
  doc: 'Tells how long an account has been away, and how long the server has been up.',
  xeps: [{ number: 12, version: '2.0' }],
  needs: ['roster'],
  features: { host: [LAST], account: [LAST] },
  stores: { departures: lastActivityStore },
  setup(mod) {
    const { departures } = mod.stores;
    const roster = mod.use(Roster);
    /** XEP-0012 3, 8: those who may see presence. */
    const maySee = (account: Jid, from: Jid): boolean | Promise<boolean> =>
      account.bare === from.bare || roster.hasSubscriptionFrom(account.toBare(), from);

    mod.iq({ xmlns: LAST, name: 'query', type: 'get', to: 'host' }, () =>
      xml('query', { xmlns: LAST, seconds: seconds(mod.node.startedAt) }),
    );
    const absent = { bare: FORBIDDEN, full: FORBIDDEN };
    mod.iq({ xmlns: LAST, name: 'query', type: 'get', to: 'account', from: 'anyone', absent }, async request => {
      if (!(await maySee(request.to, request.from))) return FORBIDDEN;
      // XEP-0012 3: connected or available
      if (mod.node.user(request.to)) return xml('query', { xmlns: LAST, seconds: 0 });
      const last = await departures.get(request.to);
      if (last) return xml('query', { xmlns: LAST, seconds: seconds(last.at) }, last.status);
      // it was never available
      const since = (await mod.node.accounts.get(request.to))?.lastLogin;
      if (since === undefined) return refuse('item-not-found', 'This account was never here.');
      return xml('query', { xmlns: LAST, seconds: seconds(since) });
    });
    // XEP-0012 4: a resource answers itself, but not those who may not know that it is there
    mod.on('arriving', 'gate', { kind: 'iq', to: 'full' }, packet => {
      if (packet.type !== 'get' || !packet.has('query', LAST)) return undefined;
      const may = maySee(packet.to!, packet.from);
      if (may instanceof Promise) return may.then(yes => (yes ? undefined : FORBIDDEN));
      return may ? undefined : FORBIDDEN;
    });
    mod.on('presence', 'tap', { kind: 'presence' }, (packet, session) => {
      if (packet.type !== 'unavailable' || session.anonymous) return undefined;
      return departures.note(session.user.jid, Date.now(), packet.stanza.childText('status') ?? '');
    });
    mod.when('ended', (session, presence) => {
      if (presence && !session.anonymous) return departures.note(session.user.jid, Date.now(), '');
      return undefined;
    });
    mod.when('accountRemoved', jid => departures.remove(jid));
    mod.cleanup(() => departures.settled());
  },
});

function seconds(since: number): number {
  return Math.max(0, Math.floor((Date.now() - since) / 1000));
}
