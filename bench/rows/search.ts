import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context, Outcome, Row } from '../context.ts';
import { accountAt, calledAt, fillDirectory, FORMAT } from '../fill/directory.ts';
import { madeAccounts } from '../load/options.ts';
import { SearchReader } from '../load/searches.ts';
import { Load } from '../measure/load.ts';
import { cpuTime } from '../measure/proc.ts';
import { round } from '../result.ts';
import { posthouse } from '../targets/posthouse.ts';

const PEOPLE = 1_000_000;
/** CPU ms of a search by number, and of any other. */
const LIMITS = { number: 1, name: 5 };

export const searchRow: Row = { name: 'search', title: 'Finding people among a million', run: search };

interface Case {
  readonly name: string;
  /** A number, or a part of a name. */
  typed(turn: number): { readonly number: string } | { readonly nick: string };
}

/** People all over the directory, in no order. */
const somebody = (turn: number): number => (turn * 7_919_777) % PEOPLE;

/** Somebody whose name fits. */
function named(turn: number, fits: RegExp): string {
  for (let i = somebody(turn); ; i = (i + 1) % PEOPLE) {
    const { nick } = calledAt(i);
    if (fits.test(nick)) return nick;
  }
}

const HAN = /^\p{Script=Han}{3}$/u;
const HANGUL = /^\p{Script=Hangul}{3}$/u;
const LATIN = /^[a-z]+ [a-z]{6,}$/;

const CASES: readonly Case[] = [
  { name: 'number', typed: turn => ({ number: accountAt(somebody(turn)) }) },
  { name: 'number that nobody has', typed: turn => ({ number: `x${turn}` }) },
  { name: 'whole name, Chinese', typed: turn => ({ nick: named(turn, HAN) }) },
  { name: 'last two characters, Chinese', typed: turn => ({ nick: named(turn, HAN).slice(1) }) },
  { name: 'surname and one character, Chinese', typed: turn => ({ nick: named(turn, HAN).slice(0, 2) }) },
  { name: 'last two characters, Korean', typed: turn => ({ nick: named(turn, HANGUL).slice(1) }) },
  { name: 'kana, in half width', typed: turn => ({ nick: ['ｻｸﾗ', 'ﾕｲ', 'ｱｵｲ', 'ﾊﾙﾄ'][turn % 4]! }) },
  { name: 'whole name, Latin', typed: turn => ({ nick: named(turn, LATIN) }) },
  { name: 'beginning of a surname, Latin', typed: turn => ({ nick: named(turn, LATIN).split(' ')[1]!.slice(0, 4) }) },
  { name: 'middle of a surname, Latin', typed: turn => ({ nick: named(turn, LATIN).split(' ')[1]!.slice(2, 5) }) },
  { name: 'two letters, Latin', typed: turn => ({ nick: named(turn, LATIN).slice(0, 2) }) },
  {
    name: 'frequent first name and a part of a surname, Latin',
    typed: turn => ({
      nick: `${named(turn, LATIN).split(' ')[0]!} ${named(turn + 1, LATIN)
        .split(' ')[1]!
        .slice(0, 3)}`,
    }),
  },
  { name: 'name that nobody has', typed: turn => ({ nick: `qq${turn}` }) },
];

async function search(context: Context): Promise<Outcome> {
  const { folder, size } = await filledDirectory();
  const server = await context.start(posthouse, { searched: true, folder });
  if (!server) return { claims: [], tables: [], notes: [] };
  const lines: (string | number)[][] = [];
  const number = { cpu: 0, p99: 0 };
  const worst = { cpu: 0, p99: 0 };
  const turns = context.quick ? 200 : 1000;
  try {
    const reader = await SearchReader.open(
      { host: '127.0.0.1', port: server.port, tls: false },
      madeAccounts('bench', 1)[0]!,
      'localhost',
    );
    // compilers warm up, on all kinds of searches
    for (let turn = 0; turn < 200; turn++) for (const { typed } of CASES) await reader.search(typed(turn));
    for (const { name, typed } of CASES) {
      const asked = Array.from({ length: turns }, (_, turn) => typed(turn + 1000));
      const times: number[] = [];
      let found = 0;
      const before = cpuTime(server.pid);
      for (const one of asked) {
        const began = performance.now();
        found += await reader.search(one);
        times.push(performance.now() - began);
      }
      const cpu = ((cpuTime(server.pid) - before) * 1000) / turns;
      times.sort((a, b) => a - b);
      const at = (share: number): number => times[Math.floor(times.length * share)]!;
      const of = name === 'number' ? number : worst;
      of.cpu = Math.max(of.cpu, cpu / 1000);
      of.p99 = Math.max(of.p99, at(0.99));
      lines.push([name, round(cpu), round(at(0.5)), round(at(0.99)), round(found / turns)]);
    }
    reader.close();
  } finally {
    await server.stop();
  }
  const kinds = [
    ['A search by number', number, LIMITS.number],
    [`A search by a part of a name, the worst of ${CASES.length - 1} kinds`, worst, LIMITS.name],
  ] as const;
  return {
    claims: kinds.flatMap(([what, { cpu, p99 }, limit]) => [
      {
        what: `${what}, server CPU`,
        unit: 'ms',
        target: `at most ${limit} ms`,
        values: { posthouse: round(cpu) },
        met: cpu <= limit,
      },
      { what: `${what}, p99`, unit: 'ms', target: '', values: { posthouse: round(p99) } },
    ]),
    tables: [
      {
        caption: `${turns} searches of each kind, one after the other, by one client`,
        columns: ['', 'CPU us', 'p50 ms', 'p99 ms', 'people in an answer'],
        lines,
      },
    ],
    notes: [
      `A directory of ${PEOPLE.toLocaleString('en')} people in SQLite, ${Math.round(size / 2 ** 20).toLocaleString('en')} MB with their accounts: two of five are called in Chinese, two in Latin letters, the others in Japanese and ` +
        'Korean; frequent names are as frequent as they are. A search finds 100 people at most, and its answer shows the first 20. The time is from the request to the last byte of the answer.',
    ],
  };
}

/** A data folder with a million people; kept from run to run. */
async function filledDirectory(): Promise<{ folder: string; size: number }> {
  const folder = join(import.meta.dirname, `../.cache/search-${PEOPLE}`);
  const file = join(folder, 'data/posthouse.sqlite');
  const note = join(folder, 'filled.json');
  const wanted = JSON.stringify({ format: FORMAT, people: PEOPLE });
  if (!existsSync(note) || readFileSync(note, 'utf8') !== wanted) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    console.error(`  ${folder} is filled with ${PEOPLE.toLocaleString('en')} people, once ...`);
    const server = await posthouse.start({ folder, searched: true });
    try {
      const load = await Load.start({ port: server.port, sessions: 1, register: true, width: 1 });
      await load.quit();
    } finally {
      await server.stop();
    }
    const began = performance.now();
    let told = 0;
    fillDirectory(file, 'localhost', PEOPLE, share => {
      if (share - told < 0.1 && share < 1) return;
      told = share;
      console.error(`  ${Math.round(share * 100)} %, ${Math.round((performance.now() - began) / 1000)} s`);
    });
    writeFileSync(note, wanted);
  }
  return { folder, size: statSync(file).size };
}
