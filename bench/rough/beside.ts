import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import type { ChatEvent } from '../load/events.ts';
import { roughMemory } from '../measure/proc.ts';
import { round, type Claim } from '../result.ts';
import type { Server } from '../targets/target.ts';

export interface Beside<T> {
  readonly result: T;
  /** What the uninvolved pair saw meanwhile. */
  readonly pair: ChatEvent;
  /** Greatest resident memory meanwhile, less that before, in MB. */
  readonly growth: number;
  /** Greatest resident memory meanwhile, in MB. */
  readonly peak: number;
}

/**
 * Does something rough to the server while a pair of its own process chats: a message every 10 ms, sent whether or not the
 * last one came, so that a stall counts for each message that it delays.
 */
export async function beside<T>(context: Context, server: Server, job: () => Promise<T>): Promise<Beside<T>> {
  const pair = await context.load(server, { sessions: 2, prefix: 'pair', register: true, every: 10 });
  await pair.begin(1);
  const before = roughMemory(server.pid);
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, roughMemory(server.pid))), 200);
  try {
    const result = await job();
    await sleep(200);
    return { result, pair: await pair.end(), growth: (most - before) / 1024, peak: most / 1024 };
  } finally {
    clearInterval(timer);
    await pair.quit();
  }
}

/** Runs the job on each server in turn, freshly started; one that fails leaves a note. */
export async function onEach<T>(
  context: Context,
  guarded: boolean,
  job: (server: Server) => Promise<T>,
): Promise<{ name: string; result: T }[]> {
  const results: { name: string; result: T }[] = [];
  for (const target of context.servers) {
    const server = await context.start(target, { guarded });
    if (!server) continue;
    try {
      results.push({ name: target.name, result: await job(server) });
    } catch (error) {
      context.note(`${target.name} was not measured: ${(error as Error).message}`);
    }
    await server.stop();
  }
  return results;
}

export const pairColumns = ['pair p99 ms', 'pair max ms', 'pair lost'];

export function pairCells(pair: ChatEvent): number[] {
  return [round(pair.latency.p99), round(pair.latency.max), pair.lost];
}

/** What the pair noticed, and the p99 in milliseconds that is allowed where one is. */
export function pairClaim(
  results: readonly { name: string; result: Pick<Beside<unknown>, 'pair'> }[],
  what: string,
  under?: number,
): Claim {
  const ours = results.find(({ name }) => name === 'posthouse')?.result.pair.latency.p99;
  return {
    what: `p99 of an uninvolved pair beside ${what}`,
    unit: 'ms',
    target: under ? `under ${under} ms` : '',
    values: Object.fromEntries(results.map(({ name, result }) => [name, round(result.pair.latency.p99)])),
    met: ours === undefined || !under ? undefined : ours < under,
  };
}
