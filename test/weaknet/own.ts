import { setTimeout as pause } from 'node:timers/promises';
import { CrashServer } from '../crash/server.ts';
import { Device } from '../crash/device.ts';
import { Ledger } from '../crash/ledger.ts';
import { Random } from '../crash/random.ts';
import { until } from '../kit/wait.ts';
import { HARMS, type Harm, WeakNetwork } from './network.ts';
import { everywhere, RESOURCES, type WeakOutcome, type WeakRun } from './talk.ts';

/** Two people with two devices each, with carbons (XEP-0280), who write to each other through a network that breaks all the time. */
export async function own(options: WeakRun): Promise<WeakOutcome> {
  const { messages, cuts } = options;
  const random = new Random(options.seed);
  const harms = options.harms ?? (Object.keys(HARMS) as Harm[]);
  const server = await CrashServer.prepare();
  const ledger = new Ledger();
  let network: WeakNetwork | undefined;
  let devices: Device[] = [];
  try {
    await server.start();
    const weak = (network = await WeakNetwork.to(server.port, random.fork('network')));
    devices = ['romeo', 'juliet'].flatMap(user => {
      const keys = new Map<string, Buffer>();
      const resumed = (_: Device, success: boolean): void => {
        ledger.resumptions++;
        if (!success) ledger.unresumed++;
      };
      return RESOURCES.map((resource, index) => {
        const common = { user, resource, keys, ledger, port: () => weak.port, carbons: true, resumed };
        return new Device({ ...common, asking: 1 + index * 3, slowness: index * 20 });
      });
    });
    await Promise.all([devices[0]!, devices[2]!].map(device => device.register()));
    for (const device of devices) device.come();
    const there = (): boolean => devices.every(device => device.online && device.unacknowledged === 0);
    await until(there, 'all devices with carbons');

    const everyway = messages / RESOURCES.length;
    for (let sent = 0, broken = 0; sent < everyway || broken < cuts; sent++) {
      if (sent < everyway) for (const device of devices) device.say(device.user === 'romeo' ? 'juliet' : 'romeo');
      if (broken * everyway <= sent * cuts) {
        // a person who has just lost a connection may lose the next at once
        if (network.harm(random.pick(harms))) broken = network.breaks;
        await pause(random.between(5, 60));
      } else await pause(random.between(0, 8));
    }
    await rest(devices, ledger);
    return {
      judgement: ledger.judge({ devices: everywhere }),
      sent: ledger.entries.size,
      cuts: network.breaks,
      harms: network.done,
    };
  } finally {
    await Promise.all(devices.map(device => device.vanish()));
    await network?.remove();
    await server.remove();
  }
}

/** Until nothing comes any more. */
async function rest(devices: readonly Device[], ledger: Ledger): Promise<void> {
  const end = performance.now() + 20_000;
  ledger.changed = performance.now();
  while (performance.now() < end) {
    await pause(50);
    const quiet = performance.now() - ledger.changed;
    if (quiet > 500 && devices.every(device => device.online && device.unacknowledged === 0)) return;
    if (quiet > 500) for (const device of devices) device.ask();
  }
}
