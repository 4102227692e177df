import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { inParallel, logIn } from '../load/client.ts';
import { madeAccounts } from '../load/options.ts';
import { Wire } from '../load/wire.ts';
import { round } from '../result.ts';
import type { Server } from '../targets/target.ts';
import { beside, onEach, pairCells, pairClaim, pairColumns } from './beside.ts';

const DRIBBLERS = 500;
/** Seconds until the row gives up on a server that leaves them open. */
const PATIENCE = 40;

export const dribbleRow: Row = {
  name: 'dribble',
  title: `Rough: ${DRIBBLERS} connections dribble a byte a second`,
  run: dribble,
};

async function dribble(context: Context): Promise<Outcome> {
  const results = await onEach(context, true, server => beside(context, server, () => hold(server)));
  const ours = results.find(({ name }) => name === 'posthouse')?.result;
  return {
    claims: [
      {
        what: `Seconds until ${DRIBBLERS} dribblers are closed (${PATIENCE}: some never were)`,
        unit: 's',
        target: 'within 30 s',
        values: Object.fromEntries(results.map(({ name, result }) => [name, round(result.result.seconds)])),
        met: ours && ours.result.open === 0 && ours.result.seconds <= 30,
      },
      {
        what: 'Slowest login of others meanwhile',
        unit: 'ms',
        target: 'others log in',
        values: Object.fromEntries(results.map(({ name, result }) => [name, round(result.result.slowest)])),
        met: ours && ours.result.refused === 0,
      },
      pairClaim(results, 'the dribblers'),
    ],
    tables: [
      {
        caption: `${DRIBBLERS} connections, at most ${PATIENCE} s`,
        columns: [
          '',
          'still open',
          's until the last was closed',
          'logins',
          'refused',
          'slowest ms',
          'growth MB',
          ...pairColumns,
        ],
        lines: results.map(({ name, result: { result, growth, pair } }) => [
          name,
          result.open,
          round(result.seconds),
          result.logins,
          result.refused,
          round(result.slowest),
          round(growth),
          ...pairCells(pair),
        ]),
      },
    ],
    notes: ['They come from 127.0.0.3 and never finish the stream header; others log in once a second from 127.0.0.1.'],
  };
}

interface Held {
  readonly open: number;
  readonly seconds: number;
  readonly logins: number;
  readonly refused: number;
  readonly slowest: number;
}

async function hold(server: Server): Promise<Held> {
  const address = { host: '127.0.0.1', port: server.port, tls: false };
  const header = `<?xml version='1.0'?><stream:stream to='localhost' ${`x='${'y'.repeat(60)}'`}`;
  const began = performance.now();
  let lastClose = began;
  let open = DRIBBLERS;
  const wires = await inParallel(DRIBBLERS, 50, async () => {
    try {
      const wire = await Wire.open({ ...address, from: '127.0.0.3' });
      wire.onText = () => {};
      wire.onClose = () => {
        open--;
        lastClose = performance.now();
      };
      return wire;
    } catch {
      // Refused at once is closed as well.
      open--;
      return undefined;
    }
  });
  const [account] = madeAccounts('other', 1);
  const plan = { domain: 'localhost', mechanism: 'PLAIN', resource: 'other', register: true, manage: false } as const;
  let [logins, refused, slowest] = [0, 0, 0];
  for (let turn = 0; open > 0 && performance.now() - began < PATIENCE * 1000; turn++) {
    for (const wire of wires) if (wire && !wire.closed) wire.write(header[turn] ?? 'z');
    const start = performance.now();
    try {
      const client = await logIn(address, account!, plan);
      logins++;
      slowest = Math.max(slowest, performance.now() - start);
      await client.close();
    } catch {
      refused++;
    }
    await sleep(Math.max(0, 1000 - (performance.now() - start)));
  }
  const seconds = open > 0 ? PATIENCE : (lastClose - began) / 1000;
  const left = open;
  for (const wire of wires) wire?.cut();
  return { open: left, seconds, logins, refused, slowest };
}
