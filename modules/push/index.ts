/*
 * Push notifications (XEP-0357): a phone whose user is away is woken through the push service of its app, for messages, calls and contact
 * requests that came and that nobody looked at. docs/push.md
 */
import { attached, defineModule, defineOptions, DONE, type SessionView } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { Offline } from '../offline/contract.ts';
import { PresenceService } from '../presence/contract.ts';
import { Pubsub } from '../pubsub/contract.ts';
import { disable, enable, type EnablingParts } from './enabling.ts';
import { Levels } from './levels.ts';
import { OWN, PUBSUB, PUSH } from './namespaces.ts';
import { Notifier } from './notifier.ts';
import { pushOptions } from './options.ts';
import { Publisher } from './publisher.ts';
import type { Registration } from './registration.ts';
import { KnownRegistrations } from './registrations.ts';
import { withdrawnNode } from './remote.ts';
import { pushStore } from './store.ts';
import { watch } from './watching.ts';

const SWEEP = 60_000;

export default defineModule({
  name: 'push',
  doc: 'Tells the push services of apps that something came for a user who is away.',
  xeps: [
    { number: 357, version: '0.4.1' },
    {
      number: 492,
      version: '0.2.0',
      note: 'What clients keep in bookmarks and in a node of ours decides who is told.',
    },
    { number: 372, version: '0.3', note: 'Mentions are told to those who want nothing else of a group.' },
  ],
  after: ['offline', 'presence', 'pubsub', 'rooms', 'stanza-id'],
  features: { account: [PUSH, OWN] },
  options: defineOptions(pushOptions),
  stores: { registrations: pushStore },

  setup(mod) {
    const { node, log } = mod;
    const options = (host: string) => mod.options(host);
    const count = {
      sent: mod.count('sent', 'Notifications that push services took.'),
      failed: mod.count('failed', 'Notifications that push services did not take.'),
      dropped: mod.count('dropped', 'Notifications that were given up because too many waited.'),
      silent: mod.count('silent', 'Times that something came and nobody wanted to be told.'),
      disabled: mod.count('disabled', 'Registrations that ended because their push service refused them.'),
    };
    const failed = (error: unknown): void => log.error({ err: error }, 'a notification was not made');

    // ---- registrations ----------------------------------------------------------------------------------------------------------

    let refresh: (session: SessionView) => void = () => {};
    const registrations = new KnownRegistrations(mod.stores.registrations, account => {
      for (const session of node.user(account)?.sessions ?? []) refresh(session);
    });
    const parts: EnablingParts = {
      registrations,
      hosts: () => node.hosts,
      perUser: host => options(host).perUser,
    };
    const ofAccount = { xmlns: PUSH, type: 'set', to: 'account' } as const;
    mod.iq({ ...ofAccount, name: 'enable' }, request => enable(parts, request));
    mod.iq({ ...ofAccount, name: 'disable' }, request => disable(parts, request));
    mod.when('accountRemoved', account => registrations.removeAll(account));

    // XEP-0357 8: the service takes back what it has allowed
    mod.on('arriving', 'work', { kind: 'message', to: 'bare' }, packet => {
      if (packet.sender || !packet.stanza.hasNamespace(PUBSUB)) return undefined;
      const withdrawn = withdrawnNode(packet);
      if (withdrawn === undefined) return undefined;
      return registrations
        .remove(packet.to!, packet.from, withdrawn)
        .then(removed => (removed === 0 ? undefined : (count.disabled.inc(removed), DONE)));
    });

    // ---- what is told -----------------------------------------------------------------------------------------------------------

    const pubsub = attached(mod, Pubsub, service => service.onEvent(event => levels.changed(event)));
    const levels = new Levels(pubsub);
    const publisher = new Publisher({
      options: ({ account }) => options(account.domain),
      payload: (registration, told) => notifier.payload(registration, told),
      ask: ({ account, service }, payload, patience) =>
        node.ask({ type: 'set', from: parseJid(account.domain)!, to: service, payload }, patience),
      disable: async ({ account, service, node: name }: Registration, why) => {
        log.info({ account: account.bare, service: service.full, why }, 'a push service refuses a device');
        count.disabled.inc();
        await registrations.remove(account, service, name);
      },
      failed,
      count,
    });
    const notifier = new Notifier({
      node,
      registrations,
      levels,
      options,
      offline: () => mod.maybe(Offline),
      presence: () => mod.maybe(PresenceService),
      publisher: () => publisher,
      failed,
      count,
    });
    mod.every(SWEEP, () => publisher.sweep());
    mod.cleanup(() => {
      notifier.end();
      publisher.end();
    });
    mod.add('gauges', {
      name: 'posthouse_push_waiting',
      help: 'Accounts and devices for which notifications are under way.',
      read: () => notifier.waiting + publisher.size,
    });

    watch(mod, { registrations, notifier, options, failed, refreshed: fn => (refresh = fn) });
  },
});
