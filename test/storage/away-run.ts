import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Device } from '../crash/device.ts';
import type { Judgement, Totals } from '../crash/ledger.ts';
import { Random } from '../crash/random.ts';
import { CrashServer } from '../crash/server.ts';
import { World } from '../crash/world.ts';
import { DatabaseServer, type Kind } from '../kit/databases.ts';

/** What a node's memory may grow by while its database is away: it gathers nothing for it, and a busy heap breathes. In bytes. */
export const MEMORY = 96 * 2 ** 20;
/** ms in which a node has to notice that its database is gone, and that it is back. */
const NOTICED = 15_000;
const BACK = 15_000;
/** ms of load before, and after. */
const BEFORE = 1_500;
const AFTER = 1_000;

export interface AwayOptions {
  readonly kind: Kind;
  readonly seconds: number;
  readonly seed: number;
  readonly users: number;
  /** Messages a second, of all together. */
  readonly rate: number;
  /** One that runs; one of its own without it. It runs in the end. */
  readonly database?: DatabaseServer;
  progress?(text: string): void;
}

export interface AwayOutcome {
  readonly totals: Totals;
  readonly judgement: Judgement;
  /** Of the messages that were sent while the database was away: those that were given back, and those acknowledged and not given back. */
  readonly refused: number;
  readonly falsely: readonly string[];
  /** ms until /ready said no, and from the server's first answer until it said yes. */
  readonly noticed: number;
  readonly back: number;
  /** Octets before, and at most. */
  readonly memory: { readonly before: number; readonly most: number };
  /** Lines of the log that are warnings or worse. */
  readonly complaints: readonly string[];
}

/**
 * People write to each other; some are away. Their node's database is stopped for so long, and comes back. In between somebody is cut
 * and comes again, and somebody leaves. Then all come, take what is there for them, and the ledger is compared: with what came, and with
 * both archives of each message.
 */
export async function awayRun(options: AwayOptions): Promise<AwayOutcome> {
  const { kind, users, rate } = options;
  const random = new Random(options.seed).fork(kind);
  const database = options.database ?? (await DatabaseServer.start(kind));
  const storage = `storage: '${await database.database()}'`;
  const server = await CrashServer.prepare({ modules: `${storage}\n` });
  const world = new World({ server, random, users, devices: 1, rate, talk: 'everybody' });
  const { ledger } = world;
  try {
    await server.start();
    await world.found();
    for (const device of world.devices) device.come();
    if (!(await world.there(world.devices))) ledger.fault('not everybody could log in');
    // who is away is written to as well
    const [leaver, cut, ...rest] = world.devices as [Device, Device, ...Device[]];
    await Promise.all(rest.slice(0, Math.floor(rest.length / 4)).map(device => device.leave()));
    world.write();
    await pause(BEFORE);
    const before = memoryOf(server.pid);
    let most = before;
    const watching = setInterval(() => {
      most = Math.max(most, memoryOf(server.pid));
    }, 200);
    try {
      await database.halt();
      const noticed = await ready(server, false, NOTICED);
      const early = new Set(ledger.entries.keys());
      const end = performance.now() + options.seconds * 1000;
      let harmed = false;
      while (performance.now() < end) {
        const left = end - performance.now();
        options.progress?.(`${kind} is away, ${Math.ceil(left / 1000)} s more: ${ledger.totals().refused} given back`);
        await pause(Math.max(0, Math.min(left, 500)));
        if (!harmed) cut.cut();
        if (!harmed) void leaver.leave();
        harmed = true;
      }
      // nothing of this can have been kept by now
      const late = [...ledger.entries.values()].filter(({ id }) => !early.has(id));
      const promised = late.filter(({ acknowledged }) => acknowledged);
      await database.run();
      const back = await ready(server, true, BACK);
      const kept = ledger.totals().acknowledged - ledger.totals().refused;
      await pause(AFTER);
      if (ledger.totals().acknowledged - ledger.totals().refused <= kept)
        ledger.fault('nothing was kept again after the database was back');
      await world.drain();
      if (!(await world.compareArchives())) ledger.fault('there is no archive');
      return {
        totals: ledger.totals(),
        judgement: ledger.judge(),
        refused: late.filter(({ refused }) => refused).length,
        falsely: promised.filter(({ refused }) => !refused).map(({ id }) => id),
        noticed,
        back,
        memory: { before, most },
        complaints: server.complaints,
      };
    } finally {
      clearInterval(watching);
    }
  } finally {
    await world.remove();
    await server.remove();
    if (!options.database) await database.stop();
  }
}

/** What did not hold, a sentence each. */
export function awayFaults(outcome: AwayOutcome): string[] {
  const { judgement, memory, refused, falsely, complaints } = outcome;
  const faults = judgement.faults();
  const grown = memory.most - memory.before;
  if (grown > MEMORY) faults.push(`memory grew by ${mebibytes(grown)} MiB, and may by ${mebibytes(MEMORY)}`);
  if (falsely.length > 0) faults.push(`${falsely.length} false acknowledgements: ${falsely.slice(0, 5).join(', ')}`);
  if (refused === 0) faults.push('nothing was given back: nobody said anything');
  if (complaints.length > 10) faults.push(`${complaints.length} lines in the log for one failure: ${complaints[0]}`);
  return faults;
}

export const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** Waits until the node says that it is ready, or not; the ms that it took. */
async function ready(server: CrashServer, yes: boolean, patience: number): Promise<number> {
  const began = performance.now();
  for (;;) {
    const status = await server.readiness();
    const took = performance.now() - began;
    if ((status === 200) === yes) return took;
    if (took > patience) throw new Error(`/ready still says ${status} after ${Math.round(took)} ms`);
    await pause(20);
  }
}

/** Octets of memory that a process has (VmRSS). */
function memoryOf(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}
