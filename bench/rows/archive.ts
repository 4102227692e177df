import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { MESSAGES } from '../../modules/archive/schema.ts';
import { DatabaseServer, type Kind, lacksDatabase } from '../../test/kit/databases.ts';
import type { Context, Outcome, Row } from '../context.ts';
import { filledArchive } from '../fill/cache.ts';
import type { ChatEvent } from '../load/events.ts';
import type { Load } from '../measure/load.ts';
import { pin } from '../measure/process.ts';
import { type Claim, median, round } from '../result.ts';
import { posthouse, setup } from '../targets/posthouse.ts';
import type { Server } from '../targets/target.ts';
import { chatTable, cpu } from './chat-table.ts';

/** What the rows can be told by options: run.ts. */
export const archiveOptions = { filled: 10_000_000 };

/** Greatest ratios of server CPU a message against the floor's. */
const ON_SQLITE = 3.3;
const ON_MYSQL = 10;
/** Milliseconds, at half of the highest load. */
const P50 = 5;
const P99 = 10;
/** Accounts whose conversations fill a large archive. */
const OWNERS = 2000;

interface Contestant {
  readonly name: string;
  readonly server: Server;
  readonly load: Load;
  readonly rounds: ChatEvent[];
  /** At half of the highest load. */
  half: ChatEvent | undefined;
}

interface Opponent {
  readonly name: string;
  /** Of its data, in which it finds its accounts again. */
  readonly folder?: string;
  readonly storage?: string;
  readonly databasePid?: number | undefined;
  /** Whether its accounts are made already. */
  readonly ready?: boolean;
}

export const archiveRows: readonly Row[] = [
  ...[200, 2000].map(sessions => ({
    name: `archive-${sessions}`,
    title: `Messages: ${sessions.toLocaleString('en')} sessions, each message into two archives`,
    run: (context: Context) => onSqlite(context, sessions),
  })),
  {
    name: 'archive-filled',
    title: 'Messages: 200 sessions, into an archive of ten million',
    run: intoFilled,
  },
  {
    name: 'archive-mysql',
    title: 'Messages: 200 sessions, into two archives on MariaDB',
    run: context => onDatabase(context, 'mysql', ON_MYSQL),
  },
  {
    name: 'archive-postgres',
    title: 'Messages: 200 sessions, into two archives on PostgreSQL',
    run: context => onDatabase(context, 'postgres'),
  },
];

async function onSqlite(context: Context, sessions: number): Promise<Outcome> {
  const [floor, ours] = await contest(context, sessions, [{ name: 'posthouse' }]);
  if (!floor || !ours) return { claims: [], tables: [], notes: [] };
  const size = bytesAMessage(join(context.folder, 'posthouse-archived/data/posthouse.sqlite'));
  const what = `${sessions.toLocaleString('en')} sessions, archived`;
  return {
    claims: [
      cpuClaim(`Server CPU a delivered message, ${what}`, floor, ours, ON_SQLITE),
      ...latencyClaims(what, floor, ours),
      ...(size
        ? [
            {
              what: 'Archive on disk, a message of two archives',
              unit: 'bytes',
              target: '',
              values: { posthouse: size },
            },
          ]
        : []),
    ],
    tables: tablesOf([floor, ours]),
    notes: [NOTE],
  };
}

async function intoFilled(context: Context): Promise<Outcome> {
  const { filled } = archiveOptions;
  const pairs = Array.from({ length: OWNERS / 2 }, (_, i) => [`bench${2 * i}`, `bench${2 * i + 1}`] as const);
  const archive = await filledArchive('filled', OWNERS, filled, pairs);
  const size = bytesAMessage(archive.file);
  const count = filled.toLocaleString('en');
  const [floor, empty, full] = await contest(context, 200, [
    { name: 'posthouse, empty' },
    { name: 'posthouse', folder: archive.folder, ready: true },
  ]);
  if (!floor || !empty || !full) return { claims: [], tables: [], notes: [] };
  const growth = median(full.rounds.map((at, i) => at.cpuPerMessage / empty.rounds[i]!.cpuPerMessage));
  return {
    claims: [
      cpuClaim(`Server CPU a delivered message, 200 sessions, archived behind ${count}`, floor, full, ON_SQLITE),
      {
        what: `The same, in proportion to an empty archive's`,
        unit: 'times',
        target: 'it does not grow: at most 1.1',
        values: { posthouse: round(growth) },
        met: growth <= 1.1,
      },
      ...latencyClaims(`archived behind ${count}`, floor, full),
      { what: `Archive on disk, a message of ${count}`, unit: 'bytes', target: '', values: { posthouse: size ?? 0 } },
    ],
    tables: tablesOf([floor, empty, full]),
    notes: [
      NOTE,
      `The archives of ${OWNERS.toLocaleString('en')} accounts, ${count} messages together, were written into the database file before (bench/fill), in the order of time and by conversations ` +
        'that take turns; the chat goes on in them.',
    ],
  };
}

async function onDatabase(context: Context, kind: Kind, atMost?: number): Promise<Outcome> {
  const lacks = lacksDatabase(kind);
  if (lacks) {
    context.note(lacks);
    return { claims: [], tables: [], notes: [] };
  }
  // a commit survives the program, as it does with SQLite; larger caches than those of the tests
  const options =
    kind === 'mysql'
      ? ['--innodb-flush-log-at-trx-commit=2', '--innodb-buffer-pool-size=1G', '--innodb-log-file-size=256M']
      : ['-c', 'fsync=on', '-c', 'synchronous_commit=off', '-c', 'shared_buffers=1GB'];
  const database = await DatabaseServer.start(kind, options);
  const name = kind === 'mysql' ? 'MariaDB' : 'PostgreSQL';
  try {
    pin(database.pid!, 0);
    const [floor, ours] = await contest(context, 200, [
      {
        name: 'posthouse',
        folder: join(context.folder, `posthouse-${kind}`),
        storage: await database.database(),
        databasePid: database.pid,
      },
    ]);
    if (!floor || !ours) return { claims: [], tables: [], notes: [] };
    return {
      claims: [
        cpuClaim(`CPU of server and database a delivered message, archived on ${name}`, floor, ours, atMost),
        ...latencyClaims(`archived on ${name}`, floor, ours, false),
      ],
      tables: tablesOf([floor, ours]),
      notes: [
        NOTE,
        `${name} runs on the same core as the server; its CPU is counted. Its options: ${options.join(' ')}.`,
      ],
    };
  } finally {
    await database.stop();
  }
}

/** The floor and each opponent stand with their sessions open; each chats in turn, then at half of the load that it could take. */
async function contest(context: Context, sessions: number, opponents: readonly Opponent[]): Promise<Contestant[]> {
  const { window, quick } = context;
  const contestants: Contestant[] = [];
  const join = async (name: string, server: Server | undefined, opponent?: Opponent): Promise<void> => {
    if (!server) return;
    try {
      if (opponent && !opponent.ready) await context.accounts(server, sessions, opponent.folder ?? 'archived');
      const load = await context.load(server, { sessions, window, databasePid: opponent?.databasePid });
      contestants.push({ name, server, load, rounds: [], half: undefined });
    } catch (error) {
      context.note(`${name} was not measured: ${(error as Error).message}`);
      await server.stop();
    }
  };
  await join('floor', await context.startFloor(false));
  for (const [index, opponent] of opponents.entries()) {
    const { folder, storage } = opponent;
    const port = setup.port + 2 * index;
    await join(opponent.name, await context.start(posthouse, { archived: true, port, folder, storage }), opponent);
  }
  const rounds = quick ? 2 : 3;
  const seconds = quick ? 1 : 2;
  try {
    // compilers warm up, and the first entries are moved to their table
    for (const { load } of contestants) await load.chat(0.1, quick ? 2 : 8, window);
    for (let i = 0; i < rounds; i++) {
      for (const { load, rounds: done } of contestants) done.push(await load.chat(seconds, 0.3, window));
    }
    const ours = contestants.find(({ name }) => name === 'posthouse');
    const half = ours ? median(ours.rounds.map(at => at.perSecond)) / 2 : 0;
    if (half > 0) for (const at of contestants) at.half = await at.load.paced(quick ? 2 : 8, quick ? 1 : 4, half);
  } finally {
    for (const { load, server } of contestants) {
      await load.quit();
      await server.stop();
    }
  }
  return contestants;
}

function cpuClaim(what: string, floor: Contestant, ours: Contestant, atMost?: number): Claim {
  const ratio = median(ours.rounds.map((at, i) => at.cpuPerMessage / floor.rounds[i]!.cpuPerMessage));
  return {
    what,
    unit: 'us',
    target: atMost === undefined ? '' : `at most ${atMost} times the floor's`,
    values: { floor: cpu(floor.rounds), posthouse: cpu(ours.rounds) },
    ratio: round(ratio),
    met: atMost === undefined ? undefined : ratio <= atMost,
  };
}

function latencyClaims(what: string, floor: Contestant, ours: Contestant, demanded = true): Claim[] {
  const [one, other] = [floor.half, ours.half];
  if (!one || !other) return [];
  return (['p50', 'p99'] as const).map(name => {
    const limit = name === 'p50' ? P50 : P99;
    return {
      what: `${name} from sender to recipient at half of the highest load, ${what}`,
      unit: 'ms',
      target: demanded ? `at most ${limit} ms` : '',
      values: { floor: round(one.latency[name]), posthouse: round(other.latency[name]) },
      met: demanded ? other.latency[name] <= limit : undefined,
    };
  });
}

/** Octets of the database a message in it, both of its archives included; undefined where there are too few to tell. */
function bytesAMessage(file: string): number | undefined {
  const db = new Database(file);
  try {
    db.pragma('wal_checkpoint(truncate)');
    const messages = db.prepare(`select count(*) from ${MESSAGES}`).pluck().get() as number;
    return messages < 20_000 ? undefined : Math.round(statSync(file).size / messages);
  } finally {
    db.close();
  }
}

const NOTE =
  'Pairs in a closed loop, 1 message on the way in each: who gets one answers it with one. 60-byte bodies with receipt request and origin-id, full JID to full JID, both available, ' +
  'both with an archive: a message is committed before it is delivered. Half of the highest load: a pace that does not wait for answers, half of the messages a second of the closed loop, for 4 s before it counts: who was idle while the others had their turn has given memory back.';

function tablesOf(contestants: readonly Contestant[]): Outcome['tables'] {
  return [
    chatTable(contestants, Math.round(contestants[0]?.rounds[0]?.seconds ?? 0)),
    {
      caption: 'At half of the highest load',
      columns: ['', 'messages/s', 'CPU us a message', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'errors', 'lost'],
      lines: contestants.flatMap(({ name, half }) =>
        half
          ? [
              [
                name,
                half.perSecond,
                round(half.cpuPerMessage),
                round(half.latency.p50),
                round(half.latency.p95),
                round(half.latency.p99),
                round(half.latency.max),
                half.errors,
                half.lost,
              ],
            ]
          : [],
      ),
    },
  ];
}
