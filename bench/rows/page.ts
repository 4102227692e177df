import Database from 'better-sqlite3';
import { ADDRESSES } from '../../modules/archive/schema.ts';
import { keyOf } from '../../modules/archive/key.ts';
import type { Context, Outcome, Row } from '../context.ts';
import { type Filled, idAt } from '../fill/archive.ts';
import { type Archive, filledArchive } from '../fill/cache.ts';
import { madeAccounts } from '../load/options.ts';
import { type PageRequest, PageReader, RowReader } from '../load/pages.ts';
import { cpuTime } from '../measure/proc.ts';
import { median, round } from '../result.ts';
import { startPageFloor } from '../targets/page-floor.ts';
import { posthouse } from '../targets/posthouse.ts';

const MESSAGES = 1_000_000;
const PEERS = 50;
const PAGE = 50;
const LIMIT = 1.5;
const HIGHEST = Number.MAX_SAFE_INTEGER;

export const pageRow: Row = { name: 'page', title: 'A page of 50 out of an archive of a million messages', run: pages };

/** How one page is asked for, and which rows it is made of. */
interface Case {
  readonly name: string;
  request(turn: number): PageRequest;
  line(turn: number): string;
}

async function pages(context: Context): Promise<Outcome> {
  const pairs = Array.from({ length: PEERS }, (_, i) => ['bench0', `peer${i}`] as const);
  const archive = await filledArchive('page', 1, MESSAGES, pairs);
  const server = await context.start(posthouse, { archived: true, folder: archive.folder });
  if (!server) return { claims: [], tables: [], notes: [] };
  const { started, port } = await startPageFloor(context.folder, archive.file);
  const [rounds, each] = context.quick ? [3, 100] : [11, 300];
  const lines: (string | number)[][] = [];
  const ratios: number[] = [];
  const [all, floors]: [number[], number[]] = [[], []];
  try {
    const address = { host: '127.0.0.1', tls: false };
    const ours = await PageReader.open({ ...address, port: server.port }, madeAccounts('bench', 1)[0]!, 'localhost');
    const floor = await RowReader.open({ ...address, port });
    const places = cases(archive);
    // compilers warm up, on all kinds of pages
    for (let i = 0; i < 3; i++) {
      for (const { request, line } of places) {
        for (let turn = 0; turn < each; turn++) {
          await ours.page(request(turn));
          await floor.page(line(turn));
        }
      }
    }
    for (const { name, request, line } of places) {
      const cost = { ours: [] as number[], floor: [] as number[] };
      const bytes = { ours: 0, floor: 0 };
      for (let i = 0; i < rounds; i++) {
        const turns = Array.from({ length: each }, (_, k) => i * each + k);
        const a = await measured(server.pid, turns, turn => ours.page(request(turn)));
        const b = await measured(started.pid, turns, turn => floor.page(line(turn)));
        cost.ours.push(a.cpu);
        cost.floor.push(b.cpu);
        bytes.ours = a.bytes;
        bytes.floor = b.bytes;
      }
      const ratio = median(cost.ours.map((cpu, i) => cpu / cost.floor[i]!));
      const [mine, raw] = [median(cost.ours), median(cost.floor)];
      ratios.push(ratio);
      all.push(mine);
      floors.push(raw);
      lines.push([name, round(mine), round(raw), round(ratio), Math.round(bytes.ours), Math.round(bytes.floor)]);
    }
    ours.close();
    floor.close();
  } finally {
    await started.stop();
    await server.stop();
  }
  const worst = ratios.indexOf(Math.max(...ratios));
  return {
    claims: [
      {
        what: `Server CPU a page of ${PAGE} of a million messages, the worst of ${lines.length} places`,
        unit: 'us',
        target: `at most ${LIMIT} times the CPU of reading and writing the same rows`,
        values: { floor: round(floors[worst]!), posthouse: round(all[worst]!) },
        ratio: round(ratios[worst]!),
        met: ratios[worst]! <= LIMIT,
      },
    ],
    tables: [
      {
        caption: `${rounds} rounds of ${each} pages each, in turn`,
        columns: ['', 'CPU us a page', 'raw', 'ratio', 'bytes', 'raw bytes'],
        lines,
      },
    ],
    notes: [
      `An account with ${MESSAGES.toLocaleString('en')} messages of ${PEERS} conversations that take turns, read by one client, page after page; pages in the middle begin ` +
        'at another message each. Raw is bench/page-floor.ts: a Node server that reads the same rows by the same indexes with better-sqlite3 and writes their stanzas, each between constant text of the length of an envelope, ' +
        'in one write a page; it knows no XML and no ids.',
    ],
  };
}

/** CPU in microseconds, and bytes, of one page. */
async function measured(
  pid: number,
  turns: readonly number[],
  ask: (turn: number) => Promise<{ messages: number; bytes: number }>,
): Promise<{ cpu: number; bytes: number }> {
  let bytes = 0;
  const before = cpuTime(pid);
  for (const turn of turns) {
    const page = await ask(turn);
    if (page.messages !== PAGE) throw new Error(`a page has ${page.messages} messages instead of ${PAGE}`);
    bytes += page.bytes;
  }
  return { cpu: ((cpuTime(pid) - before) * 1000) / turns.length, bytes: bytes / turns.length };
}

function cases({ file, filled }: Archive): Case[] {
  const db = new Database(file, { readonly: true });
  const number = db.prepare(`select id from ${ADDRESSES} where jid = ?`);
  const numberOf = (user: string): number => (number.get(`${user}@localhost`) as { id: number }).id;
  const owner = numberOf('bench0');
  const peers = filled.pairs.map(([, peer]) => numberOf(peer));
  db.close();
  const made: Case[] = [];
  for (const conversation of [false, true]) {
    const peerOf = (turn: number): number => Math.abs(turn) % PEERS;
    const withOf = (turn: number): string | undefined =>
      conversation ? `${filled.pairs[peerOf(turn)]![1]}@localhost` : undefined;
    const start = (turn: number): string => `${owner} ${conversation ? peers[peerOf(turn)] : '-'}`;
    const suffix = conversation ? ', of one conversation' : '';
    made.push(
      {
        name: `the first${suffix}`,
        request: turn => ({ with: withOf(turn), place: 'first', max: PAGE }),
        line: turn => `${start(turn)} 0 ${HIGHEST} ${PAGE} forwards`,
      },
      {
        name: `in the middle${suffix}`,
        request: turn => ({ with: withOf(turn), place: { after: idAt(filled, middle(filled, turn)) }, max: PAGE }),
        line: turn => `${start(turn)} ${keyOf(idAt(filled, middle(filled, turn)))} ${HIGHEST} ${PAGE} forwards`,
      },
      {
        name: `the last${suffix}`,
        request: turn => ({ with: withOf(turn), place: 'last', max: PAGE }),
        line: turn => `${start(turn)} 0 ${HIGHEST} ${PAGE} backwards`,
      },
    );
  }
  return made;
}

/** Numbers of messages all over the archive, in no order: no page is asked for twice in a row. */
function middle({ messages }: Filled, turn: number): number {
  return Math.floor(messages * 0.1) + ((Math.abs(turn) * 7_919_777) % Math.floor(messages * 0.8));
}
