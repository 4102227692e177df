/** The benches; `npm run bench -- --help` explains. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { format } from 'prettier';
import { Context, type Row } from './context.ts';
import { pin, stopAll } from './measure/process.ts';
import { writeReport } from './report.ts';
import type { RowResult } from './result.ts';
import { roughRows } from './rough.ts';
import { archiveOptions, archiveRows } from './rows/archive.ts';
import { idleRows } from './rows/idle.ts';
import { inboxRow } from './rows/inbox.ts';
import { loginRow } from './rows/login.ts';
import { messageRows } from './rows/messages.ts';
import { pageRow } from './rows/page.ts';
import { pepRow } from './rows/pep.ts';
import { pushRow } from './rows/push.ts';
import { reconnectRow } from './rows/reconnect.ts';
import { stormRow } from './rows/storm.ts';
import { stormNotifyRow } from './rows/storm-notify.ts';
import { roomLifeRows } from './rows/room-life.ts';
import { roomRows } from './rows/rooms.ts';
import { searchRow } from './rows/search.ts';
import { startRow } from './rows/start.ts';
import { uploadRow } from './rows/upload.ts';
import { ejabberd } from './targets/ejabberd.ts';
import { posthouse, setup } from './targets/posthouse.ts';
import { prosody } from './targets/prosody.ts';
import type { Target } from './targets/target.ts';

const rows: readonly Row[] = [
  ...messageRows,
  ...archiveRows,
  pageRow,
  inboxRow,
  ...roomRows,
  ...roomLifeRows,
  pepRow,
  searchRow,
  stormNotifyRow,
  pushRow,
  ...idleRows,
  loginRow,
  reconnectRow,
  stormRow,
  uploadRow,
  startRow,
  ...roughRows,
];
const peers: readonly Target[] = [prosody, ejabberd];
const groups: Record<string, readonly Row[]> = {
  messages: messageRows,
  archive: archiveRows,
  rooms: [...roomRows, ...roomLifeRows],
  rough: roughRows,
  all: rows,
};

const help = `Measures Posthouse, a bare Node relay (bench/floor.ts), and Prosody and ejabberd where they are installed, in one run.

  npm run bench                          all rows
  npm run bench -- messages-200 idle     some rows
  npm run bench -- --quick               shorter

Rows:
${rows.map(({ name, title }) => `  ${name.padEnd(20)}${title}`).join('\n')}
  messages, archive, rooms, rough, all  groups of them

What reading a stanza costs, without sockets: node bench/scan.ts

Options:
  --quick        fewer rounds, shorter windows
  --window N     messages on the way in each pair (1: each message takes its own read and write in every program)
  --no-peers     leave out Prosody and ejabberd         --only NAME  only this peer
  --no-pin       let the system choose cores; otherwise servers get core 0 and the load generator core 1
  --port N       our server's port instead of 25222, and N+1 instead of 25223
  --conf FILE    another configuration instead of bench/conf/lean.yaml
  --dry          only print: neither bench/results/ nor docs/benchmarks.md is written
  --filled N     messages in the archive of the row archive-filled instead of 10000000; it is made once, in bench/.cache
  --keep         leave the temporary folder (data, configurations, logs of all programs) and say where it is
  --help

Each program gets generated configuration and data in a temporary folder, listens on the loopback only, and is ended by its
process id. Server CPU comes from /proc/PID/task/*/schedstat (all threads), memory from /proc/PID/smaps_rollup: Linux only.
Results go to bench/results/ROW.json, and docs/benchmarks.md is made of all that are there: bench/report.ts alone makes it anew.
The ports 25222 and 25223 (bench/conf/) must be free, or others chosen by --port; archive-filled and upload take those behind them as well.
What was filled for page, inbox, search and archive-filled (4 GB) stays in bench/.cache, which may be removed at any time.
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean' },
      quick: { type: 'boolean', default: false },
      window: { type: 'string', default: '1' },
      'no-peers': { type: 'boolean', default: false },
      only: { type: 'string' },
      'no-pin': { type: 'boolean', default: false },
      port: { type: 'string' },
      conf: { type: 'string' },
      dry: { type: 'boolean', default: false },
      filled: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const chosen = choose(positionals);
  if (values.conf) setup.lean = resolve(values.conf);
  if (values.port) [setup.port, setup.tlsPort] = [Number(values.port), Number(values.port) + 1];
  if (values.filled) archiveOptions.filled = Number(values.filled);
  if (values['no-pin']) process.env.BENCH_NO_PIN = '1';
  else pin(process.pid, 1);
  const wanted = values['no-peers'] ? [] : peers.filter(peer => !values.only || peer.name === values.only);
  const installed = wanted.filter(peer => peer.version());
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-bench-'));
  const context = new Context({ folder, quick: values.quick, window: Number(values.window), peers: installed });
  const versions = Object.fromEntries([posthouse, ...installed].map(target => [target.name, target.version() ?? '']));
  const results = join(import.meta.dirname, 'results');
  if (!values.dry) mkdirSync(results, { recursive: true });
  for (const row of chosen) {
    console.error(`${row.name}: ${row.title}`);
    context.notes.splice(0);
    for (const peer of wanted) if (!installed.includes(peer)) context.note(`${peer.name} is not installed.`);
    const began = performance.now();
    const outcome = await row.run(context);
    const ran = {
      at: new Date().toISOString(),
      seconds: Math.round((performance.now() - began) / 1000),
      quick: values.quick,
      machine: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`,
      versions,
    };
    const result: RowResult = {
      row: row.name,
      title: row.title,
      ...outcome,
      notes: [...outcome.notes, ...context.notes],
      ran,
    };
    if (!values.dry) {
      writeFileSync(
        join(results, `${row.name}.json`),
        await format(JSON.stringify(result), { parser: 'json', printWidth: 120 }),
      );
    }
    print(result);
  }
  if (!values.dry) await writeReport(rows.map(({ name }) => name));
  if (values.keep) console.error(`kept ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}

function choose(names: readonly string[]): readonly Row[] {
  const chosen = new Set<Row>();
  for (const name of names.length > 0 ? names : ['all']) {
    const found = groups[name] ?? rows.filter(row => row.name === name);
    if (found.length === 0)
      throw new Error(`no row is called ${name}; they are ${rows.map(row => row.name).join(', ')}`);
    for (const row of found) chosen.add(row);
  }
  return [...chosen];
}

function print({ claims, tables }: RowResult): void {
  for (const { what, unit, target, values, ratio, met } of claims) {
    const figures = Object.entries(values).map(([name, value]) => `${name} ${value}`);
    const verdict = met === undefined ? '' : met ? 'met' : 'NOT MET';
    console.log(`  ${what} (${unit}): ${figures.join(', ')}${ratio ? `; ratio ${ratio}` : ''}. ${target} ${verdict}`);
  }
  for (const { columns, lines } of tables)
    console.table(lines.map(cells => Object.fromEntries(cells.map((cell, i) => [columns[i] || 'program', cell]))));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().then(() => process.exit(130)));
}
try {
  await main();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stopAll();
}
