import type { Invariant, Judgement, Ledger, Totals } from './ledger.ts';
import { Random } from './random.ts';
import type { Scenario } from './scenarios.ts';
import { CrashServer } from './server.ts';
import { World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly users: number;
  readonly rate: number;
  /** Kills; the scenario's own number unless given. */
  readonly rounds?: number;
  progress?(text: string): void;
}

export interface Outcome {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly rounds: number;
  readonly kills: number;
  readonly totals: Totals;
  readonly judgement: Judgement;
  /** Attempts to resume. */
  readonly resumptions: number;
  /** Whether there was an archive to compare. */
  readonly archive: boolean;
  readonly seconds: number;
}

/** Plays a scenario in a world of its own, and compares. Undefined when this machine cannot do it. */
export async function run(scenario: Scenario, options: RunOptions): Promise<Outcome | undefined> {
  const began = performance.now();
  const turmoil = scenario.turmoil();
  if (!turmoil) return undefined;
  const random = new Random(options.seed).fork(scenario.name);
  const rounds = options.rounds ?? scenario.rounds;
  const server = await CrashServer.prepare({ data: scenario.data?.(turmoil), modules: scenario.modules });
  const { talk, devices, forgetful } = scenario;
  const world = new World({ server, random, users: options.users, devices, rate: options.rate, talk, forgetful });
  const { ledger } = world;
  try {
    await server.start();
    await world.found();
    for (let round = 1; round <= rounds; round++) {
      await turmoil.begin?.(world);
      if (round === 1 && !(await world.there(world.writers))) ledger.fault('not everybody could log in');
      world.write();
      await turmoil.during(world);
      await server.kill();
      world.pause();
      await turmoil.killed?.(world);
      if (!(await startsAgain(server, ledger))) break;
      await turmoil.started?.(world);
      if (!(await world.there(world.writers.filter(device => device.wanted)))) {
        ledger.fault('not everybody came back');
      }
      options.progress?.(`${scenario.name} ${round}/${rounds}: ${ledger.totals().acknowledged} acknowledged`);
    }
    let archive = false;
    if (server.running) {
      await world.drain();
      archive = await world.compareArchives(scenario.forgiven?.(turmoil));
      await world.remove();
      await server.kill();
    }
    const integrity = server.integrity();
    if (integrity !== 'ok') ledger.fault(`the database: ${integrity}`);
    turmoil.over?.(world);
    return {
      scenario,
      seed: options.seed,
      rounds,
      kills: server.kills - 1,
      totals: ledger.totals(),
      judgement: ledger.judge({ forgiven: scenario.forgiven?.(turmoil) }),
      resumptions: ledger.resumptions,
      archive,
      seconds: (performance.now() - began) / 1000,
    };
  } finally {
    await world.remove();
    await server.remove();
    turmoil.remove?.();
  }
}

/** What is wrong, a line for each invariant that did not hold, with examples. */
export function faultsOf({ judgement }: Outcome): string[] {
  const found = Object.entries(judgement.verdict) as [Invariant, number][];
  return found.filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}: ${judgement.examples(name)}`);
}

/** A server that does not start after a kill keeps nothing of what it promised. */
async function startsAgain(server: CrashServer, ledger: Ledger): Promise<boolean> {
  try {
    await server.start();
    return true;
  } catch (error) {
    ledger.fault(`the server did not start: ${(error as Error).message}`);
    if (server.running) await server.kill();
    return false;
  }
}
