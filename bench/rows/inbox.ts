import Database from 'better-sqlite3';
import { ADDRESSES } from '../../modules/archive/schema.ts';
import type { Context, Outcome, Row } from '../context.ts';
import { filledArchive } from '../fill/cache.ts';
import { madeAccounts } from '../load/options.ts';
import { PageReader, RowReader } from '../load/pages.ts';
import { cpuTime } from '../measure/proc.ts';
import { median, round } from '../result.ts';
import { startPageFloor } from '../targets/page-floor.ts';
import { posthouse } from '../targets/posthouse.ts';

const CONVERSATIONS = 5000;
/** Of each conversation. */
const MESSAGES = 10;
/** Accounts with such an inbox: more than a server remembers, so that one that is asked for in turn is always asked for as for the first time. */
const ACCOUNTS = 50;
/** Those that are asked for once more when all were, and count: all of them, since a server has answered more than the others before. */
const COUNTED = 50;
/** Conversations of one answer. */
const PAGE = 250;
const LIMIT = 1.5;

export const inboxRow: Row = { name: 'inbox', title: 'The inbox of a user with 5,000 conversations', run: inbox };

interface Cost {
  readonly first: number[];
  readonly again: number[];
  readonly raw: number[];
}

async function inbox(context: Context): Promise<Outcome> {
  const pairs = Array.from({ length: ACCOUNTS * CONVERSATIONS }, (_, i) => {
    const owner = Math.floor(i / CONVERSATIONS);
    return [`bench${owner}`, `peer${(i % CONVERSATIONS).toString().padStart(4, '0')}`] as const;
  });
  const archive = await filledArchive('inbox', ACCOUNTS, pairs.length * MESSAGES, pairs);
  const server = await context.start(posthouse, { archived: true, folder: archive.folder });
  if (!server) return { claims: [], tables: [], notes: [] };
  const { started, port } = await startPageFloor(context.folder, archive.file);
  const cost: Cost = { first: [], again: [], raw: [] };
  const bytes = { ours: 0, raw: 0 };
  try {
    const address = { host: '127.0.0.1', tls: false };
    const floor = await RowReader.open({ ...address, port });
    const numbers = numbersOf(archive.file);
    const accounts = madeAccounts('bench', ACCOUNTS);
    for (let turn = 0; turn < ACCOUNTS + (context.quick ? 3 : COUNTED); turn++) {
      const i = turn % ACCOUNTS;
      const reader = await PageReader.open({ ...address, port: server.port }, accounts[i]!, 'localhost');
      const first = await measured(server.pid, () => reader.inbox(PAGE));
      const again = await measured(server.pid, () => reader.inbox(PAGE));
      const raw = await measured(started.pid, () => floor.page(`inbox ${numbers[i]!}`));
      reader.close();
      bytes.ours = again.bytes;
      bytes.raw = raw.bytes;
      if (turn < ACCOUNTS) continue;
      cost.first.push(first.cpu);
      cost.again.push(again.cpu);
      cost.raw.push(raw.cpu);
    }
    floor.close();
  } finally {
    await started.stop();
    await server.stop();
  }
  const ratio = (of: number[]): number => median(of.map((cpu, i) => cpu / cost.raw[i]!));
  const raw = round(median(cost.raw));
  return {
    claims: (['first', 'again'] as const).map(name => ({
      what: `Server CPU of an inbox of ${CONVERSATIONS.toLocaleString('en')} conversations, asked for ${name === 'first' ? 'for the first time' : 'again'}`,
      unit: 'ms',
      target: `at most ${LIMIT} times the CPU of reading and writing the same rows`,
      values: { floor: raw, posthouse: round(median(cost[name])) },
      ratio: round(ratio(cost[name])),
      met: ratio(cost[name]) <= LIMIT,
    })),
    tables: [
      {
        caption: `${cost.raw.length} accounts, each once and once again`,
        columns: ['', 'CPU ms', 'ratio', 'all', 'bytes'],
        lines: [
          ['for the first time', round(median(cost.first)), round(ratio(cost.first)), list(cost.first), bytes.ours],
          ['again', round(median(cost.again)), round(ratio(cost.again)), list(cost.again), bytes.ours],
          ['raw', raw, 1, list(cost.raw), bytes.raw],
        ],
      },
    ],
    notes: [
      `All conversations with their last messages and what is unread, ${PAGE} in an answer, ${CONVERSATIONS / PAGE} answers; ${MESSAGES} messages each. ${ACCOUNTS} accounts ask in turn, more than the server remembers, and the last ${COUNTED} turns count. Raw is bench/page-floor.ts: one statement that ` +
        'steps through the correspondents, reads the last message of each and counts those that came in, and writes the stanzas with constant text of the length of an envelope and an entry, a write for each 250.',
    ],
  };
}

/** CPU in milliseconds. */
async function measured(
  pid: number,
  ask: () => Promise<{ messages: number; bytes: number }>,
): Promise<{ cpu: number; bytes: number }> {
  const before = cpuTime(pid);
  const { messages, bytes } = await ask();
  if (messages !== CONVERSATIONS) throw new Error(`${messages} conversations instead of ${CONVERSATIONS}`);
  return { cpu: cpuTime(pid) - before, bytes };
}

function numbersOf(file: string): number[] {
  const db = new Database(file, { readonly: true });
  const number = db.prepare(`select id from ${ADDRESSES} where jid = ?`);
  const found = Array.from({ length: ACCOUNTS }, (_, i) => (number.get(`bench${i}@localhost`) as { id: number }).id);
  db.close();
  return found;
}

function list(values: readonly number[]): string {
  return values.map(round).join(' / ');
}
