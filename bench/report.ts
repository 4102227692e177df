/** Makes docs/benchmarks.md from bench/results/; `node bench/report.ts` alone makes it anew. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Claim, RowResult, Table } from './result.ts';

const results = join(import.meta.dirname, 'results');
const page = join(import.meta.dirname, '../docs/benchmarks.md');

/** The rows in this order, then any others that have results. */
export async function writeReport(order: readonly string[] = []): Promise<void> {
  if (!existsSync(results)) return;
  const names = readdirSync(results).flatMap(file => (file.endsWith('.json') ? [file.slice(0, -5)] : []));
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  const rows = names
    .toSorted((a, b) => place(a) - place(b) || a.localeCompare(b))
    .map(name => JSON.parse(readFileSync(join(results, `${name}.json`), 'utf8')) as RowResult);
  writeFileSync(page, render(rows));
}

export function render(rows: readonly RowResult[]): string {
  const machines = new Set(rows.map(({ ran }) => ran.machine));
  const versions = new Map(
    rows.flatMap(({ ran }) => Object.values(ran.versions).map(version => [version, true] as const)),
  );
  return [
    '# Benchmarks',
    '',
    'Made by `npm run bench` (bench/report.ts) from bench/results/; nothing here was typed. Machines differ, so what counts is the',
    'ratio: each row measured its programs in one run, in turn. The floor is bench/floor.ts, a bare Node relay that does the same',
    'socket work without XMPP. Servers ran on one core, the load generator on another, over the loopback.',
    '',
    ...[...machines].map(machine => `- Machine: ${machine}`),
    `- Programs: ${[...versions.keys()].join('; ')}`,
    '- Again: `npm run bench`, or one row: `npm run bench -- ROW`; `npm run bench -- --help` explains.',
    '',
    '## What it must reach',
    '',
    claimsTable(rows.flatMap(({ claims }) => claims)),
    ...rows.flatMap(section),
  ].join('\n');
}

function claimsTable(claims: readonly Claim[]): string {
  const programs = [...new Set(['floor', 'posthouse', ...claims.flatMap(({ values }) => Object.keys(values))])];
  const lines = claims.map(({ what, unit, target, values, ratio, met }) => [
    `${what} (${unit})`,
    ...programs.map(name => values[name] ?? ''),
    ratio ?? '',
    target,
    met === undefined ? '' : met ? 'yes' : '**no**',
  ]);
  return table({ caption: '', columns: ['', ...programs, 'ratio to the floor', 'target', 'met'], lines });
}

function section({ row, title, tables, notes, ran }: RowResult): string[] {
  const when = `${ran.at.slice(0, 16).replace('T', ' ')} UTC, ${ran.seconds} s${ran.quick ? ', with --quick' : ''}`;
  return [
    '',
    `## ${title}`,
    '',
    `\`npm run bench -- ${row}\` (${when})`,
    ...tables.flatMap(each => ['', `${each.caption}:`, '', table(each)]),
    '',
    ...notes.map(note => `- ${note}`),
  ];
}

function table({ columns, lines }: Table): string {
  const row = (cells: readonly (string | number)[]): string =>
    `| ${cells.map(cell => (typeof cell === 'number' ? cell.toLocaleString('en') : clean(cell))).join(' | ')} |`;
  return [row(columns), `|${columns.map(() => ' --- |').join('')}`, ...lines.map(row)].join('\n');
}

function clean(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replace(/[<>]/g, mark => (mark === '<' ? '&lt;' : '&gt;'))
    .replaceAll('\n', ' ');
}

if (process.argv[1] === import.meta.filename) await writeReport();
