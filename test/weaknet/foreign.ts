import { setTimeout as pause } from 'node:timers/promises';
import { arrive as arriveStanza } from '../clients/stanza.ts';
import { arrive as arriveStrophe } from '../clients/strophe.ts';
import { arrive as arriveXmppClient } from '../clients/xmpp-client.ts';
import type { Arrive, Person, Way } from '../clients/person.ts';
import { portOf, Server, trust } from '../clients/server.ts';
import { Ledger } from '../crash/ledger.ts';
import { Random } from '../crash/random.ts';
import { BREAKS, WeakNetwork } from './network.ts';
import { everywhere, RESOURCES, type WeakOutcome, type WeakRun } from './talk.ts';

/** Clients that others wrote, by name. */
export const FOREIGN: Readonly<Record<string, { readonly arrive: Arrive; readonly way: Way }>> = {
  '@xmpp/client': { arrive: arriveXmppClient, way: 'direct TLS' },
  'strophe.js': { arrive: arriveStrophe, way: 'WebSocket' },
  stanza: { arrive: arriveStanza, way: 'WebSocket' },
};

/** ms that clients may take until they are back and have all. */
const PATIENCE = 30_000;

interface Device {
  readonly name: string;
  readonly person: Person;
}

/**
 * The same two people with clients of others. Those do not all survive a break within a break (stanza forgets what it sent again
 * when its connection breaks before that is acknowledged), so the next one comes when everybody has everything; there is always
 * something on its way when it comes.
 */
export async function foreign(name: string, options: WeakRun): Promise<WeakOutcome> {
  const { arrive, way } = FOREIGN[name]!;
  const { messages, cuts, harms = [...BREAKS, 'stall', 'delay'] } = options;
  const random = new Random(options.seed).fork(name);
  const ledger = new Ledger();
  const server = await Server.start();
  const { domain, password, certificate } = server;
  const devices: Device[] = [];
  let network: WeakNetwork | undefined;
  try {
    await server.add('romeo', 'juliet');
    await trust(server);
    network = await WeakNetwork.to(portOf(server, way), random.fork('network'));
    for (const user of ['romeo', 'juliet']) {
      for (const resource of RESOURCES) {
        const person = await arrive({ way, port: network.port, user, resource, domain, password, certificate });
        await person.carbons();
        const device = { name: `${user}/${resource}`, person };
        person.messages.each(({ body }) => ledger.receive(device.name, body));
        devices.push(device);
      }
    }
    let left = messages * 2;
    while (left > 0 || network.breaks < cuts) {
      const portion = Math.max(devices.length, Math.ceil(left / Math.max(1, cuts - network.breaks)));
      const talk = sayAll(devices, ledger, portion, random);
      await pause(random.between(0, 30));
      network.harm(random.pick(harms));
      left -= await talk;
      if (!(await complete(devices, ledger))) break;
    }
    // whatever would come twice comes now
    await pause(500);
    return {
      judgement: ledger.judge({ devices: everywhere }),
      sent: ledger.entries.size,
      cuts: network.breaks,
      harms: network.done,
    };
  } finally {
    await Promise.allSettled(devices.map(({ person }) => Promise.race([person.leave(), pause(3_000)])));
    await network?.remove();
    await server.stop();
  }
}

/** All say so many things together, each when it can. How many that were. */
async function sayAll(devices: readonly Device[], ledger: Ledger, count: number, random: Random): Promise<number> {
  const each = Math.ceil(count / devices.length);
  const pauses = devices.map(() => random.between(0, 12));
  await Promise.all(
    devices.map(async ({ name, person }, index) => {
      const to = name.startsWith('romeo') ? 'juliet' : 'romeo';
      for (let n = 0; n < each; n++) {
        const id = ledger.send(name, to);
        // it is the server's to acknowledge and the client's to say again
        ledger.acknowledge(id);
        await say(person, to, id).catch((error: unknown) => ledger.fault(`${name}: ${String(error)}`));
        await pause(pauses[index]);
      }
    }),
  );
  return each * devices.length;
}

/** Says it as soon as it can; again if the client says that it did not go (and then it forgets it: @xmpp/client). */
async function say(person: Person, to: string, body: string): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    while (person.ready === false && performance.now() < end) await pause(5);
    try {
      await person.say(`${to}@localhost`, body);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await pause(20);
    }
  }
}

async function complete(devices: readonly Device[], ledger: Ledger): Promise<boolean> {
  const end = performance.now() + PATIENCE;
  while (performance.now() < end) {
    if (devices.every(({ person }) => person.ready !== false)) {
      const { verdict } = ledger.judge({ devices: everywhere });
      if (verdict.missing === 0) return true;
      if (verdict.faults > 0) return false;
    }
    await pause(10);
  }
  return false;
}
