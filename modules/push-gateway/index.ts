/*
 * A push service of our own (XEP-0357 4): what servers publish for devices goes on to those through the vendors of their systems, or of
 * their browsers. docs/push.md
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { defineModule, defineOptions, Packet, ServiceDomain } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { Apns } from './apns.ts';
import type { PushChannel } from './channel.ts';
import { Dispatcher } from './dispatcher.ts';
import { Fcm } from './fcm.ts';
import { authorities, Https } from './https.ts';
import { gatewayOptions } from './options.ts';
import { publish, PUBSUB, PUSH, unsupported, withdrawal } from './publishing.ts';
import { Registering } from './registering.ts';
import { deviceStore } from './store.ts';
import { Template } from './template.ts';
import { type VapidKeys, vapidKeys } from './vapid.ts';
import { WebPush } from './web-push.ts';

const FEATURES = [
  PUSH,
  PUBSUB,
  `${PUBSUB}#publish`,
  `${PUBSUB}#publish-options`,
  // XEP-0357 4.1: nobody but those whom the owner of a device has told may publish, and nobody reads
  `${PUBSUB}#access-whitelist`,
  `${PUBSUB}#publish-only-affiliation`,
  NS.commands,
];

export default defineModule({
  name: 'push-gateway',
  doc: 'A push service for apps of this server: notifications by Web Push, FCM, APNs and other vendors.',
  xeps: [{ number: 357, version: '0.4.1', note: 'The push service.' }],
  rfcs: ['RFC 8030', 'RFC 8188', 'RFC 8291', 'RFC 8292'],
  options: defineOptions(gatewayOptions),
  stores: { devices: deviceStore },

  async setup(mod) {
    const { node, log } = mod;
    const store = mod.stores.devices;
    const count = {
      accepted: mod.count('accepted', 'Notifications that vendors took.'),
      retry: mod.count('retries', 'Attempts after which a notification was tried again.'),
      refused: mod.count('refused', 'Notifications that vendors refused for good.'),
      'given up': mod.count('given_up', 'Notifications that were tried too often.'),
      gone: mod.count('gone', 'Devices that vendors know no more.'),
    };

    // ---- channels ---------------------------------------------------------------------------------------------------------------

    const { webPush, fcm, apns, templates, ca, atOnce } = mod.options();
    const channels = new Map<string, PushChannel>();
    const folder = path.join(node.folder, 'push-gateway');
    const trusted = authorities(ca === '' ? '' : await readFile(ca, 'utf8'));
    const timeout = (): number => mod.options().timeout * 1000;
    const https = new Https(timeout, atOnce, trusted);
    mod.cleanup(() => https.close());
    /** A channel that cannot be is told of by name, and the others are there. */
    const open = async (name: string, make: () => PushChannel | Promise<PushChannel>): Promise<void> => {
      try {
        if (channels.has(name)) throw new Error('there is another of this name');
        const channel = await make();
        channels.set(name, channel);
        mod.cleanup(() => channel.close());
      } catch (error) {
        log.error({ channel: name, why: (error as Error).message }, 'a push channel cannot be used');
      }
    };
    let keys: VapidKeys | undefined;
    if (webPush.enabled)
      await open('web', async () => {
        const { default: library } = await import('web-push');
        const made = await vapidKeys(folder, library);
        const [host = 'localhost'] = node.hosts;
        const options = { ...webPush, contact: webPush.contact.replaceAll('{host}', host) };
        const channel = new WebPush(options, made, https, library);
        keys = made;
        return channel;
      });
    if (fcm.account !== '') await open('fcm', () => new Fcm(fcm.account, fcm.server, https));
    if (apns.key !== '') await open('apns', () => new Apns(apns, timeout, trusted));
    for (const [name, options] of Object.entries(templates)) await open(name, () => new Template(name, options, https));

    // ---- devices ----------------------------------------------------------------------------------------------------------------

    const dispatcher = new Dispatcher(
      {
        options: () => mod.options(),
        gone: (device, why) => {
          count.gone.inc();
          log.info({ node: device.node, channel: device.channel, why }, 'a device is gone');
          store.remove(device.node, device.target).then(
            removed => {
              // it may have registered anew meanwhile
              const from = removed ? domainFor(device.owner.domain) : undefined;
              if (from) void node.route(Packet.of(withdrawal(device), parseJid(from)!, device.owner));
            },
            (error: unknown) => log.error({ err: error }, 'a device that is gone could not be forgotten'),
          );
        },
        told: (device, outcome, why) => {
          count[outcome].inc();
          if (outcome === 'refused' || outcome === 'given up')
            log.warn({ channel: device.channel, why }, `a notification was ${outcome}`);
        },
      },
      channels.values(),
    );
    mod.cleanup(() => dispatcher.end());
    mod.add('gauges', {
      name: 'posthouse_push_gateway_waiting',
      help: 'Devices that have a notification under way.',
      read: () => dispatcher.size,
    });
    mod.when('accountRemoved', async account => {
      for (const { node: device } of await store.of(account)) dispatcher.forget(device);
      await store.removeAll(account);
    });

    const registering = new Registering({
      store,
      channels,
      vapidKey: keys?.publicKey,
      mayRegister: ({ from, to, session }) =>
        from.local !== '' &&
        !session?.anonymous &&
        (node.hosts.has(from.domain) || mod.options(service.hostOf(to.domain)).access === 'anybody'),
      perUser: domain => mod.options(service.hostOf(domain)).perUser,
      forget: device => dispatcher.forget(device),
    });

    // ---- the service ------------------------------------------------------------------------------------------------------------

    const service = new ServiceDomain(mod, {
      identity: { category: 'pubsub', type: 'push', name: 'Push notifications' },
      domain: host => mod.options(host).domain,
      features: () => FEATURES,
      node: (of, request, name) => {
        if (request.to.local !== '') return undefined;
        if (of === 'info') return registering.describe(name);
        return name === NS.commands ? registering.list(request) : undefined;
      },
    });
    const domainFor = (domain: string): string | undefined => {
      const own = node.hosts.has(domain) && mod.enabled(domain) ? service.domainOf(domain) : undefined;
      return own ?? [...node.hosts].filter(host => mod.enabled(host)).map(host => service.domainOf(host))[0];
    };
    service.iq({ xmlns: NS.commands, name: 'command', type: 'set', to: 'service' }, request =>
      registering.execute(request),
    );
    service.iq({ xmlns: PUBSUB, name: 'pubsub', type: 'set', to: 'service' }, request =>
      publish(store, dispatcher, request),
    );
    service.iq({ xmlns: PUBSUB, name: 'pubsub', type: 'get', to: 'service' }, () => unsupported());
    service.open();
  },
});
