/*
 * Presence and subscriptions: RFC 6121 3 and 4. The state machine of appendix A is in states.ts, its use in subscriptions.ts; who is
 * told of whose presence is in broadcast.ts, who is told when asking in probes.ts, presence to somebody in directed.ts.
 */
import {
  defineModule,
  defineOptions,
  DONE,
  inOrder,
  option,
  type Packet,
  type SessionView,
} from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { parseElement } from '../../src/xml/index.ts';
import { Blocking } from '../blocking/contract.ts';
import { Roster } from '../roster/contract.ts';
import { available, Broadcast } from './broadcast.ts';
import { PresenceService, type SubscriptionRequest } from './contract.ts';
import { Directed } from './directed.ts';
import { portableRequests } from './portable.ts';
import { Probes } from './probes.ts';
import { Shown } from './shown.ts';
import { isSubscriptionType } from './states.ts';
import { type Request, requestStore } from './store.ts';
import { Subscriptions } from './subscriptions.ts';

const NICK = 'http://jabber.org/protocol/nick'; // XEP-0172

export default defineModule({
  name: 'presence',
  doc: 'Tells contacts who is there, and keeps who may know.',
  rfcs: ['RFC 6121 3', 'RFC 6121 4', 'RFC 6121 A'],
  needs: ['roster'],
  options: defineOptions({
    requests: option.integer({
      default: 1000,
      minimum: 1,
      maximum: 100_000,
      doc: 'Subscription requests that may wait for the answer of one account; more of them are refused.',
      reload: 'live',
    }),
    requestSize: option.size({
      default: 4096,
      minimum: 1024,
      doc: 'The largest subscription request that is kept. All that wait are sent at once, so they have to fit into limits.outboxBytes.',
      reload: 'live',
    }),
  }),
  stores: { requests: requestStore },
  setup(mod) {
    const { node } = mod;
    const roster = mod.use(Roster);
    const { requests } = mod.stores;
    const shown = new Shown(mod);
    const blocks = (account: Jid, address: Jid) => mod.maybe(Blocking)?.blocks(account, address) ?? false;
    const { domains } = mod.collections;
    const reaches = (domain: string): boolean => {
      for (const route of domains.items()) if (route.serves(domain)) return true;
      return false;
    };
    const broadcast = new Broadcast(node, roster, shown, blocks, reaches);
    const subscriptions = new Subscriptions(node, roster, requests, broadcast, blocks, host => mod.options(host));
    const probes = new Probes(node, roster, shown);
    const directed = new Directed(node, roster, shown);

    // what clients send
    mod.on('presence', 'work', { kind: 'presence' }, (packet, session) => {
      // it ended while this waited for its turn: its contacts have been told
      if (!session.alive) return DONE;
      return packet.type === 'unavailable'
        ? broadcast.unavailable(packet, session)
        : broadcast.available(packet, session, () => subscriptions.remind(session));
    });
    mod.on('received', 'work', { kind: 'presence', to: ['host', 'bare', 'full', 'foreign'] }, (packet, session) =>
      isSubscriptionType(packet.type)
        ? subscriptions.sent(packet, session, packet.type)
        : directed.sent(packet, session),
    );
    mod.when('ended', (session, presence) => broadcast.ended(session, presence));
    const restored = new WeakSet<SessionView>();
    mod.when('restored', session => void restored.add(session));
    mod.when('resumed', session =>
      restored.delete(session) && session.presence ? broadcast.refresh(session) : undefined,
    );

    // what comes for accounts: subscriptions are the account's business, not a resource's (3.1.3)
    mod.on('arriving', 'work', { kind: 'presence', to: 'full' }, packet => {
      const { type } = packet;
      // 8.5.3.2.2
      if (isSubscriptionType(type))
        return type === 'subscribe' || node.session(packet.to!) ? subscriptions.came(packet, type) : DONE;
      return type === 'probe' ? probes.came(packet) : directed.came(packet);
    });
    mod.on('account', 'work', { kind: 'presence', to: 'bare' }, packet => {
      if (isSubscriptionType(packet.type)) return subscriptions.came(packet, packet.type);
      return packet.type === 'probe' ? probes.came(packet) : toAvailable(packet);
    });

    /** 4.2.3, 4.4.3, 4.5.3: presence for an account goes to all its available resources. */
    function toAvailable(packet: Packet): typeof DONE | Promise<typeof DONE> {
      directed.came(packet);
      const step = inOrder(available(node, packet.to!), session => node.deliver(packet, session));
      return step ? step.then(() => DONE) : DONE;
    }

    mod.cleanup(roster.onRemoval((account, item) => subscriptions.cancel(account, item)));
    mod.add(
      'portable',
      portableRequests(requests, host => mod.options(host)),
    );
    mod.when('accountRemoved', jid => subscriptions.cancelAll(jid));

    mod.provide(PresenceService, {
      hide: (account, contacts, others) => broadcast.hideFrom(account, contacts, others),
      show: async (account, contacts) => broadcast.showAgain(account, contacts, await roster.get(account)),
      requests: async account => {
        const heard: SubscriptionRequest[] = [];
        for (const request of await requests.list(account.bare)) {
          if (!(await blocks(account, parseJid(request.contact)!))) heard.push(readRequest(request));
        }
        return heard;
      },
      onRequest: listener => subscriptions.onRequest(listener),
      ignore: (account, contact, ignored) => subscriptions.ignore(account, contact, ignored),
    });
  },
});

function readRequest({ contact, stanza, since, ignored }: Request): SubscriptionRequest {
  const element = parseElement(stanza, NS.client);
  return {
    contact,
    text: element.getChildText('status') ?? undefined,
    nick: element.getChildText('nick', NICK) ?? undefined,
    since,
    ignored,
  };
}
