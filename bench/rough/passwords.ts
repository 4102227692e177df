import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { Client, inParallel, logIn, LoginRefused } from '../load/client.ts';
import { madeAccounts } from '../load/options.ts';
import { round } from '../result.ts';
import type { Server } from '../targets/target.ts';
import { beside, onEach, pairCells, pairClaim, pairColumns } from './beside.ts';

const ATTEMPTS = 1000;

export const passwordsRow: Row = {
  name: 'passwords',
  title: 'Rough: 1,000 wrong passwords on one account',
  run: passwords,
};

async function passwords(context: Context): Promise<Outcome> {
  const patience = context.quick ? 5 : 12;
  const results = await onEach(context, true, server => beside(context, server, () => guess(server, patience)));
  const ours = results.find(({ name }) => name === 'posthouse')?.result;
  return {
    claims: [
      {
        what: `Guesses that the server weighed, of ${ATTEMPTS} wrong passwords within ${patience} s`,
        unit: 'guesses',
        target: 'braked: at most 100',
        values: Object.fromEntries(results.map(({ name, result }) => [name, result.result.weighed])),
        met: ours && ours.result.weighed <= 100,
      },
      {
        what: 'Slowest login of the owner meanwhile',
        unit: 'ms',
        target: 'gets in each time',
        values: Object.fromEntries(results.map(({ name, result }) => [name, round(result.result.slowest)])),
        met: ours && ours.result.refused === 0 && ours.result.logins > 0,
      },
      pairClaim(results, 'the guesses'),
    ],
    tables: [
      {
        caption: `At most ${patience} s`,
        columns: [
          '',
          'answered not-authorized',
          'answered otherwise',
          'connections refused or cut',
          'owner got in',
          'owner refused',
          'slowest ms',
          ...pairColumns,
        ],
        lines: results.map(({ name, result: { result, pair } }) => [
          name,
          result.weighed,
          result.braked,
          result.cut,
          result.logins,
          result.refused,
          round(result.slowest),
          ...pairCells(pair),
        ]),
      },
    ],
    notes: [
      `20 connections from 127.0.0.3 try wrong passwords by PLAIN, one after the other, until ${ATTEMPTS} were tried; the owner, ` +
        'who had logged in before, logs in from 127.0.0.2 once a second.',
    ],
  };
}

interface Guessed {
  weighed: number;
  braked: number;
  cut: number;
  logins: number;
  refused: number;
  slowest: number;
}

async function guess(server: Server, patience: number): Promise<Guessed> {
  const address = { host: '127.0.0.1', port: server.port, tls: false };
  const [owner] = madeAccounts('owner', 1);
  const plan = { domain: 'localhost', mechanism: 'PLAIN', resource: 'owner', register: true, manage: false } as const;
  const home = { ...address, from: '127.0.0.2' };
  await (await logIn(home, owner!, plan)).close();
  const count: Guessed = { weighed: 0, braked: 0, cut: 0, logins: 0, refused: 0, slowest: 0 };
  const end = performance.now() + patience * 1000;
  const guesses = inParallel(20, 20, async i => {
    while (performance.now() < end && count.weighed + count.braked + count.cut < ATTEMPTS) {
      const outcome = await Promise.race([
        tryOnce({ ...address, from: '127.0.0.3' }, i),
        sleep(end - performance.now()),
      ]);
      if (outcome) count[outcome]++;
      if (outcome === 'cut') await sleep(50);
    }
  });
  while (performance.now() < end) {
    const began = performance.now();
    try {
      const client = await logIn(home, owner!, { ...plan, register: false });
      count.logins++;
      count.slowest = Math.max(count.slowest, performance.now() - began);
      await client.close();
    } catch {
      count.refused++;
    }
    await sleep(Math.max(0, 1000 - (performance.now() - began)));
  }
  await guesses;
  return count;
}

async function tryOnce(
  address: { host: string; port: number; tls: boolean; from: string },
  seed: number,
): Promise<'weighed' | 'braked' | 'cut'> {
  try {
    const wrong = { user: 'owner0', password: `guess-${seed}-${performance.now()}`, keys: new Map() };
    const client = await Client.open(address, wrong, 'localhost');
    try {
      await client.authenticate('PLAIN');
      return 'weighed';
    } finally {
      client.wire.cut();
    }
  } catch (error) {
    if (!(error instanceof LoginRefused)) return 'cut';
    return error.message.includes('not-authorized') ? 'weighed' : 'braked';
  }
}
