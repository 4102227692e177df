/* Last activity (XEP-0012): how long the server runs, how long an account has been away. */
import { defineModule } from '../../src/api/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';
import { Roster } from '../roster/contract.ts';
import { lastActivityStore } from './store.ts';

const LAST = 'jabber:iq:last';

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
    mod.iq({ xmlns: LAST, name: 'query', type: 'get', to: 'host' }, () =>
      xml('query', { xmlns: LAST, seconds: seconds(mod.node.startedAt) }),
    );
    mod.iq({ xmlns: LAST, name: 'query', type: 'get', to: 'account', from: 'anyone' }, async request => {
      // XEP-0012 4: for those who may see presence
      if (!request.own && !(await roster.hasSubscriptionFrom(request.to, request.from))) return refuse('forbidden');
      if (mod.node.user(request.to)?.sessions.some(session => session.presence !== undefined)) {
        return xml('query', { xmlns: LAST, seconds: 0 });
      }
      const last = await departures.get(request.to);
      if (!last) return refuse('item-not-found', 'This account was never here.');
      return xml('query', { xmlns: LAST, seconds: seconds(last.at) }, last.status);
    });
    mod.on('presence', 'tap', { kind: 'presence' }, (packet, session) => {
      if (packet.type === 'unavailable')
        departures.note(session.user.jid, Date.now(), packet.stanza.childText('status') ?? '');
    });
    mod.when('ended', (session, presence) => {
      if (presence && !session.anonymous) departures.note(session.user.jid, Date.now(), '');
    });
    mod.when('accountRemoved', jid => departures.remove(jid));
  },
});

function seconds(since: number): number {
  return Math.max(0, Math.floor((Date.now() - since) / 1000));
}
