import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { SmallDisk } from '../operator/small-disk.ts';
import { stepFaults, STEPS, stepsEnvironment } from './steps.ts';
import { idsIn, tearLast, tearNext } from './wal.ts';
import type { World } from './world.ts';

const ID = /u\d+-d\d+\.u\d+\.\d+/g;

/** What a round does to the server beside killing it. Everything is chosen by the world's random numbers. */
export interface Turmoil {
  /** Before the load begins. */
  begin?(world: World): Promise<void> | void;
  /** While everybody writes; the kill comes when it returns. */
  during(world: World): Promise<void>;
  /** The server is dead. */
  killed?(world: World): Promise<void> | void;
  /** Ready again. */
  started?(world: World): Promise<void> | void;
  /** After the last round, the server stopped. */
  over?(world: World): void;
  remove?(): void;
}

export interface Scenario {
  readonly name: string;
  readonly doc: string;
  readonly talk: 'everybody' | 'halves';
  /** Devices a user. */
  readonly devices: number;
  /** Rounds after which a fresh world is made. */
  readonly rounds: number;
  /** Undefined when this machine cannot do it. */
  turmoil(): Turmoil | undefined;
  /** Where the data has to be; and lines for `modules:`. */
  readonly modules?: string;
  data?(turmoil: Turmoil): string;
  forgiven?(turmoil: Turmoil): ReadonlySet<string>;
  /** Counts of handled stanzas that clients were told may be lost: the database took nothing for some time, or lost what it took. */
  readonly forgetful?: boolean;
}

// ---- moments to kill at ---------------------------------------------------------------------------------------------------------

/** At any time. */
async function anywhere({ random }: World): Promise<void> {
  await pause(random.between(100, 1_200));
}

/** While a commit that holds many messages is under way. */
async function inCommit(world: World): Promise<void> {
  const { random } = world;
  await pause(random.between(100, 600));
  world.burst(random.between(50, 300));
  await pause(random.between(0, 12));
}

/** Some lose their connections; the kill comes when the n-th of them has written <resume/> and waits for the answer. */
async function inResume(world: World): Promise<void> {
  const { random } = world;
  await pause(random.between(100, 500));
  const victims = world.devices.filter(device => device.online && random.chance(0.6));
  let left = random.between(1, Math.max(1, victims.length));
  const { promise, resolve } = Promise.withResolvers<void>();
  world.onResuming = () => {
    if (--left === 0) resolve();
  };
  for (const device of victims) device.cut();
  await Promise.race([promise, pause(3_000)]);
  world.onResuming = undefined;
  const wait = random.between(-2, 3);
  if (wait > 0) await pause(wait);
}

/** While those who were away take what waited for them. */
async function inDelivery(world: World): Promise<void> {
  const { random, ledger } = world;
  await pause(random.between(100, 500));
  const readers = world.readers.filter(device => !device.online);
  for (const device of readers) device.come();
  const { received } = ledger.totals();
  const wanted = received + random.between(1, 200);
  const end = performance.now() + 1_500;
  while (performance.now() < end && ledger.totals().received < wanted) await pause(1);
}

/** Whoever reads leaves, vanishes, is cut or comes, as chance has it. */
async function comings(
  world: World,
  devices: readonly World['devices'][number][],
  milliseconds: number,
): Promise<void> {
  const { random } = world;
  const end = performance.now() + milliseconds;
  const going: Promise<void>[] = [];
  while (performance.now() < end) {
    await pause(random.between(5, 40));
    const device = random.pick(devices);
    const what = random.next();
    if (!device.online) device.come();
    else if (what < 0.3) going.push(device.leave());
    else if (what < 0.6) going.push(device.vanish());
    else device.cut();
  }
  // they go on while the server dies
  void Promise.allSettled(going);
}

function someMoment(world: World, moments: readonly ((world: World) => Promise<void>)[]): Promise<void> {
  return world.random.pick(moments)(world);
}

// ---- scenarios ------------------------------------------------------------------------------------------------------------------

function writersCome(world: World): void {
  for (const device of world.writers) device.come();
}

function everybodyComes(world: World): void {
  for (const device of world.devices) device.come();
}

const away: Scenario = {
  name: 'away',
  doc: 'Recipients are away; killed at any time and in commits.',
  talk: 'halves',
  devices: 1,
  rounds: 12,
  turmoil: () => ({ begin: writersCome, during: world => someMoment(world, [anywhere, inCommit]) }),
};

const bare: Scenario = {
  ...away,
  name: 'bare',
  doc: 'The same without an archive: offline messages alone.',
  modules: '  archive: false\n',
};

const taking: Scenario = {
  name: 'taking',
  doc: 'Recipients were away; killed while they take what waited.',
  talk: 'halves',
  devices: 1,
  rounds: 12,
  turmoil: () => ({
    begin: writersCome,
    during: inDelivery,
    killed: async world => {
      await Promise.all(world.readers.map(device => device.vanish()));
    },
  }),
};

const passing: Scenario = {
  name: 'passing',
  doc: 'All come and go, in order and not; killed at any time.',
  talk: 'everybody',
  devices: 1,
  rounds: 12,
  turmoil: () => ({
    begin: everybodyComes,
    during: world => comings(world, world.devices, world.random.between(300, 1_500)),
  }),
};

const online: Scenario = {
  name: 'online',
  doc: 'All are there, two devices each; killed at any time and in bursts.',
  talk: 'everybody',
  devices: 2,
  rounds: 12,
  turmoil: () => ({ begin: everybodyComes, during: world => someMoment(world, [anywhere, inCommit]) }),
};

const resuming: Scenario = {
  name: 'resuming',
  doc: 'All are there and many lose their connections; killed between <resume/> and its answer.',
  talk: 'everybody',
  devices: 1,
  rounds: 12,
  turmoil: () => ({ begin: everybodyComes, during: inResume }),
};

const waiting: Scenario = {
  name: 'waiting',
  doc: 'Recipients have sessions that wait for them without a connection; killed at any time.',
  talk: 'halves',
  devices: 1,
  rounds: 12,
  turmoil: () => ({
    begin: async world => {
      everybodyComes(world);
      await world.there(world.devices);
      await Promise.all(world.readers.map(device => device.vanish()));
    },
    during: anywhere,
  }),
};

const starting: Scenario = {
  name: 'starting',
  doc: 'Recipients are away; killed, and killed again while it starts.',
  talk: 'halves',
  devices: 1,
  rounds: 6,
  turmoil: () => ({
    begin: writersCome,
    during: anywhere,
    killed: async ({ server, random }) => {
      for (let times = random.between(1, 4); times > 0; times--) {
        server.spawn();
        await pause(random.between(0, 1_200));
        await server.kill();
      }
    },
  }),
};

/** A new release brings steps of a schema with it, and the server is killed in the middle of them. */
function migrations(): Turmoil {
  let steps = 1;
  return {
    begin: writersCome,
    during: anywhere,
    killed: async ({ server, random, ledger }) => {
      const faults = stepFaults(server, steps);
      for (const fault of faults) ledger.fault(`the schema: ${fault}`);
      steps += random.between(10, 30);
      server.env = stepsEnvironment(steps);
      for (let times = random.between(1, 4); times > 0; times--) {
        server.spawn();
        await pause(random.between(200, 1_500));
        await server.kill();
      }
    },
    over: ({ server, ledger }) => {
      for (const fault of stepFaults(server, steps)) ledger.fault(`the schema: ${fault}`);
    },
  };
}

const migrating: Scenario = {
  name: 'migrating',
  doc: 'Recipients are away; killed while the next start changes the schema.',
  talk: 'halves',
  devices: 1,
  rounds: 6,
  modules: STEPS,
  turmoil: migrations,
};

class FullDisk implements Turmoil {
  readonly disk: SmallDisk;

  constructor(disk: SmallDisk) {
    this.disk = disk;
  }

  begin(world: World): void {
    writersCome(world);
  }

  async during({ random }: World): Promise<void> {
    await pause(random.between(100, 500));
    this.disk.fill();
    await pause(random.between(50, 1_500));
    // sometimes there is room again before the end
    if (random.chance(0.3)) {
      this.disk.empty();
      await pause(random.between(0, 3_000));
    }
  }

  async killed({ server, random }: World): Promise<void> {
    if (random.chance(0.5)) {
      // whether it starts on a full disk or refuses to, it harms nothing
      server.spawn();
      await pause(1_500);
      if (server.running) await server.kill();
    }
    this.disk.empty();
  }

  remove(): void {
    this.disk.remove();
  }
}

const full: Scenario = {
  forgetful: true,
  name: 'full',
  doc: 'Recipients are away and the disk becomes full; killed while it is.',
  talk: 'halves',
  devices: 1,
  rounds: 4,
  turmoil: () => {
    const disk = SmallDisk.make();
    return disk && new FullDisk(disk);
  },
  data: turmoil => `${(turmoil as FullDisk).disk.folder}/data`,
};

const locked: Scenario = {
  forgetful: true,
  name: 'locked',
  doc: 'Recipients are away and another program locks the database; killed while it does.',
  talk: 'halves',
  devices: 1,
  rounds: 6,
  turmoil: () => ({
    begin: writersCome,
    during: async ({ server, random }) => {
      await pause(random.between(100, 500));
      const other = server.open();
      try {
        other.exec('BEGIN IMMEDIATE');
        // the server's patience is 2 s
        await pause(random.between(50, 3_500));
        if (random.chance(0.3)) {
          other.exec('ROLLBACK');
          await pause(random.between(0, 2_000));
        }
      } catch {
        // the server was writing at this moment
      } finally {
        other.close();
      }
    },
  }),
};

const failing: Scenario = {
  forgetful: true,
  name: 'failing',
  doc: 'Recipients are away and the files of the database take no more (RLIMIT_FSIZE); killed while they do not.',
  talk: 'halves',
  devices: 1,
  rounds: 6,
  turmoil: () => {
    try {
      execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    } catch {
      return undefined;
    }
    return {
      begin: writersCome,
      during: async ({ server, random }) => {
        await pause(random.between(100, 500));
        const limit = (bytes: string): unknown =>
          execFileSync('prlimit', ['--pid', String(server.pid), `--fsize=${bytes}:`], { stdio: 'ignore' });
        limit(String(statSync(server.wal).size));
        await pause(random.between(50, 1_500));
        if (random.chance(0.3)) {
          limit('unlimited');
          await pause(random.between(0, 3_000));
        }
      },
    };
  },
};

const torn: Scenario = {
  name: 'torn',
  doc: 'Recipients are away; killed, and the page that was being written is torn.',
  talk: 'halves',
  devices: 1,
  rounds: 8,
  turmoil: () => ({
    begin: writersCome,
    during: inCommit,
    killed: ({ server }) => void tearNext(server.wal),
  }),
};

/** The only scenario in which something may be lost: what the log lost with its last page. */
class LastPage implements Turmoil {
  readonly forgiven = new Set<string>();

  begin(world: World): void {
    writersCome(world);
  }

  during(world: World): Promise<void> {
    return inCommit(world);
  }

  killed({ server }: World): void {
    const whole = idsIn(server.copy(), ID);
    if (!tearLast(server.wal)) return;
    const left = idsIn(server.copy(), ID);
    // one that is still in the archive may have been lost on its way from there
    for (const [id, rows] of whole) if ((left.get(id) ?? 0) < rows) this.forgiven.add(id);
  }
}

const cutPage: Scenario = {
  forgetful: true,
  name: 'cut-page',
  doc: 'Recipients are away; killed by a power cut that took a page of the last commit: that commit may be lost, nothing else.',
  talk: 'halves',
  devices: 1,
  rounds: 8,
  turmoil: () => new LastPage(),
  forgiven: turmoil => (turmoil as LastPage).forgiven,
};

export const SCENARIOS: readonly Scenario[] = [
  away,
  bare,
  taking,
  passing,
  online,
  resuming,
  waiting,
  starting,
  migrating,
  full,
  locked,
  failing,
  torn,
  cutPage,
];

export function scenario(name: string): Scenario | undefined {
  return SCENARIOS.find(each => each.name === name);
}
