import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { cpuTime, residentMemory } from '../measure/proc.ts';
import { round } from '../result.ts';
import type { Server } from '../targets/target.ts';

const SESSIONS = 2000;

export const idleRows: readonly Row[] = [
  { name: 'idle', title: 'Idle sessions, plain TCP', run: context => idle(context, false) },
  { name: 'idle-tls', title: 'Idle sessions, direct TLS 1.3', run: context => idle(context, true) },
];

interface Idle {
  /** KB a session: as the system sees it after the server was left alone, and after a forced collection. */
  readonly alone: number;
  readonly collected: number;
  /** CPU in percent of one core, before any session and with all of them. */
  readonly emptyCpu: number;
  readonly idleCpu: number;
}

/** Each program is started anew, so that nothing but the sessions differs between the two readings. */
async function idle(context: Context, tls: boolean): Promise<Outcome> {
  const results: [string, Idle][] = [];
  const floor = await context.startFloor(tls, { collectable: true });
  if (floor) results.push(await measure(context, floor, tls));
  for (const target of context.servers) {
    const server = await context.start(target, { collectable: true });
    if (!server) continue;
    try {
      results.push(await measure(context, server, tls));
    } catch (error) {
      context.note(`${target.name} was not measured: ${(error as Error).message}`);
      await server.stop();
    }
  }
  const values = Object.fromEntries(results.map(([name, { collected }]) => [name, round(collected)]));
  const ours = results.find(([name]) => name === 'posthouse')?.[1];
  const base = results.find(([name]) => name === 'floor')?.[1];
  const ratio = ours && base ? ours.collected / base.collected : undefined;
  const met = tls ? ratio && ratio <= 1.15 : ours && ours.collected <= 10;
  return {
    claims: [
      {
        what: `Memory an idle session at ${SESSIONS.toLocaleString('en')}${tls ? ', TLS 1.3' : ''}`,
        unit: 'KB',
        target: tls ? 'at most 1.15 times a bare Node TLS socket' : 'at most 10 KB',
        values,
        ratio: ratio && round(ratio),
        met: met === undefined ? undefined : Boolean(met),
      },
      {
        what: `CPU with ${SESSIONS.toLocaleString('en')} idle sessions${tls ? ', TLS 1.3' : ''}`,
        unit: '% of a core',
        target: tls ? '' : 'not measurable (under 0.5 %)',
        values: Object.fromEntries(results.map(([name, { idleCpu }]) => [name, round(idleCpu)])),
        met: tls || !ours ? undefined : ours.idleCpu < 0.5 && ours.emptyCpu < 0.5,
      },
    ],
    tables: [
      {
        caption: `${SESSIONS} sessions`,
        columns: ['', 'KB a session after a collection', 'KB left alone', 'CPU % without sessions', 'CPU % with all'],
        lines: results.map(([name, at]) => [
          name,
          round(at.collected),
          round(at.alone),
          round(at.emptyCpu),
          round(at.idleCpu),
        ]),
      },
    ],
    notes: [
      'Resident memory (Rss of /proc/PID/smaps_rollup) with all sessions less the same before them, divided by their number. ' +
        'Before the first reading 100 sessions came and went. "Left alone": nothing was asked of the server, 3 s after the last login. ' +
        '"After a collection": Node programs, the floor among them, were told to collect before both readings; the others were left alone.',
    ],
  };
}

async function measure(context: Context, server: Server, tls: boolean): Promise<[string, Idle]> {
  const { target } = server;
  await context.accounts(server, SESSIONS);
  if (target.protocol === 'xmpp') {
    // Making accounts leaves its own traces: begin again on the folder that has them.
    await server.stop();
    const again = await context.start(target, { collectable: true });
    if (!again) throw new Error('it did not start a second time');
    return held(context, again, tls);
  }
  return held(context, server, tls);
}

async function held(context: Context, server: Server, tls: boolean): Promise<[string, Idle]> {
  const { pid, target } = server;
  const seconds = context.quick ? 2 : 4;
  const early = await context.load(server, { sessions: 100, tls });
  await early.quit();
  await sleep(1000);
  const aloneBefore = residentMemory(pid);
  const collectedBefore = await collected(server);
  const emptyCpu = await cpuShare(pid, seconds);
  const load = await context.load(server, { sessions: SESSIONS, tls, width: 16 });
  await sleep(3000);
  const aloneAfter = residentMemory(pid);
  const collectedAfter = await collected(server);
  const idleCpu = await cpuShare(pid, seconds);
  await load.quit();
  await server.stop();
  return [
    target.name,
    {
      alone: (aloneAfter - aloneBefore) / SESSIONS,
      collected: (collectedAfter - collectedBefore) / SESSIONS,
      emptyCpu,
      idleCpu,
    },
  ];
}

async function collected(server: Server): Promise<number> {
  server.collect();
  await sleep(1500);
  server.collect();
  await sleep(500);
  return residentMemory(server.pid);
}

/** CPU in percent of one core over the seconds. */
async function cpuShare(pid: number, seconds: number): Promise<number> {
  const before = cpuTime(pid);
  await sleep(seconds * 1000);
  return (cpuTime(pid) - before) / (seconds * 10);
}
