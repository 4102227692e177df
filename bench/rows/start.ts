import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { Client } from '../load/client.ts';
import { madeAccounts } from '../load/options.ts';
import { Started, type Program } from '../measure/process.ts';
import { median, round } from '../result.ts';
import { assertFree } from '../targets/target.ts';
import { root, setup, startArguments } from '../targets/posthouse.ts';

export const startRow: Row = { name: 'start', title: 'From the command to the first login', run: start };

interface Way {
  readonly what: string;
  readonly fresh: boolean;
  program(folder: string): Pick<Program, 'command' | 'args'>;
}

const ways: readonly Way[] = [
  {
    what: 'node bin/posthouse.js start',
    fresh: false,
    program: folder => ({
      command: process.execPath,
      args: [join(root, 'bin/posthouse.js'), ...startArguments(folder)],
    }),
  },
  {
    what: 'npm start',
    fresh: false,
    program: folder => ({ command: 'npm', args: ['start', '--', ...startArguments(folder).slice(1)] }),
  },
  {
    what: 'node bin/posthouse.js start, first run on an empty folder',
    fresh: true,
    program: folder => ({
      command: process.execPath,
      args: [join(root, 'bin/posthouse.js'), ...startArguments(folder)],
    }),
  },
];

async function start(context: Context): Promise<Outcome> {
  const times = context.quick ? 2 : 5;
  const folder = join(context.folder, 'start');
  rmSync(folder, { recursive: true, force: true });
  const results: { what: string; all: number[] }[] = [];
  try {
    // Makes the account that logs in below.
    await once(ways[2]!, folder, context.folder);
    for (const way of ways) {
      const all: number[] = [];
      for (let i = 0; i < times; i++) {
        const own = way.fresh ? `${folder}-${i}` : folder;
        if (way.fresh) rmSync(own, { recursive: true, force: true });
        all.push(await once(way, own, context.folder));
      }
      results.push({ what: way.what, all });
    }
  } catch (error) {
    context.note(`posthouse was not measured: ${(error as Error).message}`);
  }
  return {
    claims: results.map(({ what, all }) => ({
      what: `First login after \`${what}\``,
      unit: 'ms',
      target: 'under 1,000 ms',
      values: { posthouse: round(median(all)) },
      met: median(all) < 1000,
    })),
    tables: [
      {
        caption: 'Milliseconds from spawning the command to the answer to bind',
        columns: ['', 'median', 'all'],
        lines: results.map(({ what, all }) => [
          what,
          round(median(all)),
          all.map(time => Math.round(time)).join(' / '),
        ]),
      },
    ],
    notes: [
      'A client tries to connect every 5 ms; then PLAIN and bind. On an empty folder it registers its account first, ' +
        'and the server makes its database and its certificate. Not pinned to a core.',
    ],
  };
}

async function once(way: Way, folder: string, logs: string): Promise<number> {
  await assertFree([setup.port]);
  const began = performance.now();
  const started = new Started({ ...way.program(folder), cwd: root, log: join(logs, 'start.log') });
  try {
    const client = await firstClient(started);
    if (way.fresh) await client.register();
    await client.authenticate('PLAIN');
    await client.bind('start');
    const took = performance.now() - began;
    await client.close();
    return took;
  } finally {
    await started.stop();
  }
}

async function firstClient(started: Started): Promise<Client> {
  const account = madeAccounts('bench', 1)[0]!;
  const address = { host: '127.0.0.1', port: setup.port, tls: false };
  for (const deadline = performance.now() + 30_000; ;) {
    try {
      return await Client.open(address, account, 'localhost');
    } catch (error) {
      if (started.hasExited || performance.now() > deadline) throw error;
      await sleep(5);
    }
  }
}
