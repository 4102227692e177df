/*
 * Presence and subscriptions: RFC 6121 3 and 4. The state machine of appendix A is in states.ts, its use in subscriptions.ts; who is
 * told of whose presence is in broadcast.ts.
 */
import { defineModule } from '../../src/api/index.ts';
import { Roster } from '../roster/contract.ts';
import { Broadcast } from './broadcast.ts';
import { PresenceService } from './contract.ts';
import { isSubscriptionType } from './states.ts';
import { requestStore } from './store.ts';
import { Subscriptions } from './subscriptions.ts';
import { parseElement } from '../../src/xml/index.ts';
import { NS } from '../../src/protocol/index.ts';

const NICK = 'http://jabber.org/protocol/nick'; // XEP-0172

export default defineModule({
  name: 'presence',
  doc: 'Tells contacts who is there, and keeps who may know.',
  rfcs: ['RFC 6121 3', 'RFC 6121 4', 'RFC 6121 A'],
  needs: ['roster'],
  stores: { requests: requestStore },
  setup(mod) {
    const roster = mod.use(Roster);
    const { requests } = mod.stores;
    const broadcast = new Broadcast(mod, roster);
    const subscriptions = new Subscriptions(mod.node, roster, requests, broadcast);

    // what clients send
    mod.on('presence', 'work', { kind: 'presence' }, (packet, session) =>
      packet.type === 'unavailable'
        ? broadcast.unavailable(packet, session)
        : broadcast.available(packet, session, () => subscriptions.remind(session)),
    );
    mod.on('received', 'work', { kind: 'presence', to: ['host', 'bare', 'full', 'foreign'] }, (packet, session) =>
      isSubscriptionType(packet.type)
        ? subscriptions.sent(packet, session, packet.type)
        : broadcast.directed(packet, session),
    );
    // what comes to accounts
    mod.on('arriving', 'work', { kind: 'presence', to: 'full' }, packet =>
      isSubscriptionType(packet.type) || packet.type === 'probe' ? subscriptions.toBare(packet) : undefined,
    );
    mod.on('account', 'work', { kind: 'presence', to: 'bare' }, packet => {
      if (isSubscriptionType(packet.type)) return subscriptions.came(packet, packet.type);
      if (packet.type === 'probe') return subscriptions.probed(packet);
      return broadcast.toSessions(packet);
    });
    mod.when('ended', (session, presence) => broadcast.ended(session, presence));

    mod.cleanup(roster.onRemoval((account, item) => subscriptions.cancel(account, item)));
    mod.when('accountRemoved', async jid => {
      await subscriptions.cancelAll(jid);
      await requests.removeAll(jid.bare);
    });

    mod.provide(PresenceService, {
      sendUnavailableTo: (account, contact) => broadcast.showTo(account, contact, false),
      sendPresenceTo: async (account, contact) => {
        if (await roster.hasSubscriptionFrom(account, contact)) await broadcast.showTo(account, contact, true);
      },
      requests: account =>
        Promise.resolve(
          requests.list(account.bare).map(({ contact, stanza, since, ignored }) => {
            const element = parseElement(stanza, NS.client);
            return {
              contact,
              text: element.getChildText('status') ?? undefined,
              nick: element.getChildText('nick', NICK) ?? undefined,
              since,
              ignored,
            };
          }),
        ),
      ignore: (account, contact, ignored) => requests.setIgnored(account.bare, contact.bare, ignored),
    });
  },
});
