import { randomBytes } from 'node:crypto';
import type { Context, Outcome, Row } from '../context.ts';
import { SlotAsker, Transfers } from '../load/files.ts';
import { madeAccounts } from '../load/options.ts';
import { cpuTime } from '../measure/proc.ts';
import { median, round } from '../result.ts';
import { startFileFloor } from '../targets/file-floor.ts';
import { posthouse } from '../targets/posthouse.ts';

const MIB = 1024 ** 2;
/** Against a bare Node server of files, for large ones. */
const LIMIT = 1.5;

export const uploadRow: Row = { name: 'upload', title: 'Files up and down (XEP-0363)', run: files };

interface Case {
  readonly name: string;
  readonly size: number;
  readonly files: number;
}

/** What one file costs: CPU ms of the server, and ms until it is there. */
interface Cost {
  readonly cpu: number;
  readonly took: number;
}

async function files(context: Context): Promise<Outcome> {
  const server = await context.start(posthouse, { uploaded: true });
  if (!server) return { claims: [], tables: [], notes: [] };
  const { started, port } = await startFileFloor(context.folder);
  const rounds = context.quick ? 3 : 7;
  const cases: readonly Case[] = [
    { name: 'pictures of 200 KiB', size: 200 * 1024, files: context.quick ? 50 : 200 },
    { name: 'videos of 16 MiB', size: 16 * MIB, files: context.quick ? 6 : 16 },
  ];
  const address = { host: '127.0.0.1', port: server.port, tls: false };
  const claims: Outcome['claims'][number][] = [];
  const lines: (string | number)[][] = [];
  const slots = await SlotAsker.open(address, madeAccounts('bench', 1)[0]!, 'localhost');
  const [ours, floor] = [new Transfers(), new Transfers()];
  try {
    for (const { name, size, files: count } of cases) {
      const body = randomBytes(size);
      const figures: Record<'up' | 'down', { ours: Cost; floor: Cost }[]> = { up: [], down: [] };
      for (let turn = -1; turn < rounds; turn++) {
        // slots are asked for before: they are XMPP, and their cost is in the table by itself
        const given = await each(count, () => slots.slot(size));
        const mine = await measured(server.pid, given, ({ put }) => ours.put(put, body));
        const names = Array.from({ length: count }, (_, i) => `http://127.0.0.1:${port}/${name.length}-${turn}-${i}`);
        const raw = await measured(started.pid, names, url => floor.put(url, body));
        const down = await measured(server.pid, given, ({ get }) => whole(ours.get(get), size));
        const rawDown = await measured(started.pid, names, url => whole(floor.get(url), size));
        // compilers warm up
        if (turn < 0) continue;
        figures.up.push({ ours: mine, floor: raw });
        figures.down.push({ ours: down, floor: rawDown });
      }
      for (const way of ['up', 'down'] as const) {
        const all = figures[way];
        const middle = (of: (figure: (typeof all)[number]) => number): number => median(all.map(of));
        const megabytes = size / MIB;
        const ratio = round(middle(figure => figure.ours.cpu / figure.floor.cpu));
        const [cpu, rawCpu] = [middle(f => f.ours.cpu), middle(f => f.floor.cpu)];
        const speed = (of: (figure: (typeof all)[number]) => Cost): number =>
          Math.round(middle(figure => (megabytes * 1000) / of(figure).took));
        lines.push([
          `${name}, ${way}`,
          round(cpu * 1000),
          round(rawCpu * 1000),
          ratio,
          speed(f => f.ours),
          speed(f => f.floor),
        ]);
        if (size < MIB) continue;
        claims.push({
          what: `Server CPU a MiB of files that go ${way}`,
          unit: 'us',
          target: way === 'down' ? `at most ${LIMIT} times the CPU of a bare Node server of files` : '',
          values: {
            floor: round((rawCpu * 1000) / megabytes),
            posthouse: round((cpu * 1000) / megabytes),
          },
          ratio,
          ...(way === 'down' && { met: ratio <= LIMIT }),
        });
      }
    }
    const asked = await measured(server.pid, Array.from({ length: 300 }), () => slots.slot(1000));
    lines.push(['a slot', round(asked.cpu * 1000), '', '', '', '']);
  } finally {
    slots.close();
    ours.close();
    floor.close();
    await started.stop();
    await server.stop();
  }
  return {
    claims,
    tables: [
      {
        caption: `One connection, a file after the other, ${rounds} rounds in turn`,
        columns: ['', 'CPU us a file', 'bare', 'ratio', 'MiB/s', 'bare MiB/s'],
        lines,
      },
    ],
    notes: [
      'Over HTTP without TLS, on the disk of the temporary folder. The bare server is bench/file-floor.ts: it flushes a file to the disk before it has its name, as ours ' +
        'does, and knows no rows, slots, ranges or types. Our figures have the commit of two rows in them for each file that goes up; its folder is flushed as well, and the blocks of 64 KiB that Node makes of what comes without TLS ' +
        'go back to the system one by one (bin/posthouse.js, for the sake of idle TLS sessions).',
    ],
  };
}

async function each<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let i = 0; i < count; i++) made.push(await make());
  return made;
}

async function whole(coming: Promise<number>, size: number): Promise<void> {
  const bytes = await coming;
  if (bytes !== size) throw new Error(`${bytes} bytes came instead of ${size}`);
}

async function measured<T>(pid: number, all: readonly T[], move: (one: T) => Promise<unknown>): Promise<Cost> {
  const before = cpuTime(pid);
  const began = performance.now();
  for (const one of all) await move(one);
  return { cpu: (cpuTime(pid) - before) / all.length, took: (performance.now() - began) / all.length };
}
