import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { message } from '../load/chat.ts';
import { logIn } from '../load/client.ts';
import { madeAccounts } from '../load/options.ts';
import { round } from '../result.ts';
import type { Server } from '../targets/target.ts';
import { beside, onEach, pairCells, pairClaim, pairColumns } from './beside.ts';

export const floodRow: Row = { name: 'flood', title: 'Rough: a writer that floods', run: flood };

interface Flood {
  readonly name: string;
  /** Bytes a second. */
  readonly rate: number;
  /** To somebody who is offline, so that the server has to store. */
  readonly absent: boolean;
}

const floods: readonly Flood[] = [
  { name: '64 KB/s', rate: 64 * 1024, absent: false },
  { name: '1 MB/s', rate: 1024 * 1024, absent: false },
  { name: 'as fast as it can', rate: Infinity, absent: false },
  { name: 'as fast as it can, to somebody absent', rate: Infinity, absent: true },
];

async function flood(context: Context): Promise<Outcome> {
  const seconds = context.quick ? 2 : 5;
  const results = await onEach(context, false, async server => {
    const all = [];
    for (const each of floods) {
      all.push({ name: each.name, ...(await beside(context, server, () => pour(server, each, seconds))) });
    }
    return all;
  });
  return {
    claims: floods.map(({ name }, i) =>
      pairClaim(
        results.map(({ name: program, result }) => ({ name: program, result: result[i]! })),
        `a flood, ${name}`,
        25,
      ),
    ),
    tables: [
      {
        caption: `${seconds} s each`,
        columns: ['', 'rate', 'taken KB/s', 'delivered KB/s', 'cut off', 'growth MB', ...pairColumns],
        lines: results.flatMap(({ name, result }) =>
          result.map(at => [
            name,
            at.name,
            round(at.result.taken / 1024 / seconds),
            round(at.result.delivered / 1024 / seconds),
            at.result.cut ? 'yes' : 'no',
            round(at.growth),
            ...pairCells(at.pair),
          ]),
        ),
      },
    ],
    notes: [
      'One session writes messages to another that reads all of them; "taken" is what the server has read from the writer.',
    ],
  };
}

async function pour(
  server: Server,
  { rate, absent }: Flood,
  seconds: number,
): Promise<{ taken: number; delivered: number; cut: boolean }> {
  const address = { host: '127.0.0.1', port: server.port, tls: false };
  const [writer, sink] = madeAccounts('flood', 2);
  const plan = { domain: 'localhost', mechanism: 'PLAIN', resource: 'flood', register: true, manage: false } as const;
  const to = await logIn(address, sink!, plan);
  const from = await logIn(address, writer!, plan);
  let delivered = 0;
  to.wire.readBy(text => void (delivered += text.length));
  from.wire.readBy(() => {});
  if (absent) await to.close();
  const one = message(absent ? 'flood1@localhost' : to.jid, 'f0', 'x'.repeat(60));
  const many = one.repeat(Math.floor(65536 / one.length));
  const { socket } = from.wire;
  const began = performance.now();
  const before = socket.bytesWritten;
  let written = 0;
  while (performance.now() - began < seconds * 1000 && !from.wire.closed) {
    if (rate === Infinity) {
      if (socket.writableLength === 0) from.wire.write(many);
      await new Promise(resolve => setImmediate(resolve));
      continue;
    }
    const due = ((performance.now() - began) / 1000) * rate;
    let batch = '';
    while (written + batch.length + one.length <= due) batch += one;
    written += batch.length;
    if (batch && socket.writableLength < 1024 * 1024) from.wire.write(batch);
    await sleep(20);
  }
  const taken = socket.bytesWritten - before - socket.writableLength;
  const cut = from.wire.closed;
  from.wire.cut();
  await sleep(100);
  to.wire.cut();
  return { taken, delivered, cut };
}
