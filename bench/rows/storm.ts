import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { Client, inParallel, logIn } from '../load/client.ts';
import { madeAccounts } from '../load/options.ts';
import { Phone } from '../load/reconnect.ts';
import { cpuTime } from '../measure/proc.ts';
import { round } from '../result.ts';
import { beside, type Beside, pairCells, pairColumns } from '../rough/beside.ts';
import { posthouse } from '../targets/posthouse.ts';
import type { Server } from '../targets/target.ts';

const CLIENTS = 5000;
/** ms that who was not cut may wait. */
const NOTICED = 500;
/** Files that programs need beside their clients' sockets. */
const OTHERS = 500;

export const stormRow: Row = {
  name: 'storm',
  title: 'A storm: 5,000 clients cut at once, and all come back',
  run: storm,
};

/** A client that was cut. */
interface Returning {
  cut(): void;
  /** Rejects when it was not resumed. */
  comeBack(): Promise<void>;
}

interface Storm {
  readonly back: number;
  readonly firstError: string;
  /** Milliseconds from the cut to the last that came back, and to half of them. */
  readonly took: number;
  readonly half: number;
  /** Server CPU of one, milliseconds. */
  readonly cpuEach: number;
}

/** Prosody 0.12 and ejabberd 23.01 know no tokens, and `cut` compares by resumption: ours alone. */
async function storm(context: Context): Promise<Outcome> {
  const most = openFiles() - OTHERS;
  // a socket that was cut and the one that comes after it are there at the same time
  const wanted = context.quick ? CLIENTS / 10 : CLIENTS;
  const count = Math.min(wanted, Math.floor(most / 2));
  if (count < wanted)
    context.note(`A process may have ${openFiles()} files here: ${count} clients instead of ${wanted}.`);
  const kinds: readonly (readonly [string, (server: Server, i: number) => Promise<Returning>])[] = [
    ['by token (FAST)', byToken],
    ['by resumption', byResumption],
  ];
  const results: { name: string; result: Beside<Storm> }[] = [];
  for (const [name, make] of kinds) {
    const server = await context.start(posthouse);
    if (!server) return { claims: [], tables: [], notes: [] };
    try {
      await context.accounts(server, count);
      const clients = await inParallel(count, 16, i => make(server, i));
      await sleep(1000);
      results.push({ name, result: await beside(context, server, () => cutAll(server, clients)) });
      for (const client of clients) client.cut();
    } finally {
      await server.stop();
    }
  }
  const all = count.toLocaleString('en');
  return {
    claims: results.flatMap(({ name, result: { result, pair, peak } }) => [
      {
        what: `Until ${all} clients cut at once are back, ${name}`,
        unit: 'ms',
        target: 'all of them',
        values: { posthouse: round(result.took) },
        met: result.back === count,
      },
      {
        what: `Memory peak meanwhile, ${name}`,
        unit: 'MB',
        target: '',
        values: { posthouse: round(peak) },
      },
      {
        what: `p99 of a pair that was not cut, ${name}`,
        unit: 'ms',
        target: `under ${NOTICED} ms`,
        values: { posthouse: round(pair.latency.p99) },
        met: pair.latency.p99 < NOTICED,
      },
    ]),
    tables: [
      {
        caption: `${all} clients`,
        columns: [
          '',
          'back',
          'first failure',
          'ms to half',
          'ms to the last',
          'CPU ms each',
          'peak MB',
          'growth MB',
          ...pairColumns,
        ],
        lines: results.map(({ name, result: { result, growth, peak, pair } }) => [
          name,
          result.back,
          result.firstError,
          round(result.half),
          round(result.took),
          round(result.cpuEach),
          round(peak),
          round(growth),
          ...pairCells(pair),
        ]),
      },
    ],
    notes: [
      'Plain TCP. All sockets are reset at once; then all connect at once. By token: header, <authenticate> and <resume> in one write (XEP-0388, 0484, 0198). By resumption: ' +
        'SCRAM-SHA-1 with the keys that the client kept, then <resume>. The clients are one process on the other core, behind the pair of which the last columns tell, and their side is part of the time: a reconnect costs them as much as the server. ' +
        `Meanwhile a pair chats that was not cut, a message every 10 ms. Files a process may have open here: ${openFiles().toLocaleString('en')}.`,
    ],
  };
}

async function cutAll(server: Server, clients: readonly Returning[]): Promise<Storm> {
  // the pair's program goes first on the core that both have: what the pair sees is the server's
  setPriority(constants.priority.PRIORITY_LOW);
  const times: number[] = [];
  let firstError = '';
  const before = cpuTime(server.pid);
  const began = performance.now();
  for (const client of clients) client.cut();
  await inParallel(clients.length, clients.length, async i => {
    try {
      await clients[i]!.comeBack();
      times.push(performance.now() - began);
    } catch (error) {
      firstError ||= String(error).slice(0, 120);
    }
  });
  await sleep(200);
  return {
    back: times.length,
    firstError,
    took: times.at(-1) ?? 0,
    half: times[times.length >> 1] ?? 0,
    cpuEach: (cpuTime(server.pid) - before) / clients.length,
  };
}

const address = (server: Server) => ({ host: '127.0.0.1', port: server.port, tls: false });

async function byToken(server: Server, i: number): Promise<Returning> {
  const phone = await Phone.make(address(server), 'localhost', accountOf(i));
  // the first time by token moves it to its place, once
  await phone.comeBack();
  return phone;
}

async function byResumption(server: Server, i: number): Promise<Returning> {
  const plan = {
    domain: 'localhost',
    mechanism: 'SCRAM-SHA-1',
    resource: 'storm',
    register: false,
    manage: true,
  } as const;
  const account = accountOf(i);
  let client = await logIn(address(server), account, plan);
  // what is on the way to it arrives, and is counted for `h`
  let handled = 0;
  client.wire.readBy(text => void (handled += text.split(/<(?:presence|message|iq)\b/).length - 1));
  return {
    cut: () => client.wire.cut(),
    async comeBack() {
      const { resumption } = client;
      client = await Client.open(address(server), account, plan.domain);
      await client.authenticate(plan.mechanism);
      if (!(await client.resume(resumption, handled))) throw new Error('not resumed');
    },
  };
}

const made = madeAccounts('bench', CLIENTS);
function accountOf(i: number): (typeof made)[number] {
  return made[i]!;
}

/** Files that this process may have open; programs that it starts may have as many. */
function openFiles(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024);
}
