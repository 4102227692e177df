import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { Client, inParallel, logIn } from '../load/client.ts';
import { madeAccounts } from '../load/options.ts';
import { round } from '../result.ts';
import type { Server } from '../targets/target.ts';
import { beside, onEach, pairCells, pairClaim, pairColumns } from './beside.ts';

export const cutRow: Row = { name: 'cut', title: 'Rough: 2,000 clients cut at once', run: cut };

async function cut(context: Context): Promise<Outcome> {
  const count = context.quick ? 500 : 2000;
  const results = await onEach(context, false, async server => {
    await context.accounts(server, count);
    return beside(context, server, () => resumeAll(server, count));
  });
  const ours = results.find(({ name }) => name === 'posthouse')?.result;
  return {
    claims: [
      {
        what: `Until ${count.toLocaleString('en')} clients cut at once are resumed`,
        unit: 'ms',
        target: 'all within 2 s',
        values: Object.fromEntries(results.map(({ name, result }) => [name, round(result.result.took)])),
        met: ours && ours.result.resumed === count && ours.result.took <= 2000,
      },
      pairClaim(results, 'the cut'),
    ],
    tables: [
      {
        caption: `${count} sessions`,
        columns: [
          '',
          'resumed',
          'not resumed',
          'failed',
          'first failure',
          'ms to the last',
          'growth MB',
          ...pairColumns,
        ],
        lines: results.map(({ name, result: { result, growth, pair } }) => [
          name,
          result.resumed,
          count - result.resumed - result.failed,
          result.failed,
          result.firstError,
          round(result.took),
          round(growth),
          ...pairCells(pair),
        ]),
      },
    ],
    notes: [
      'All sockets are reset at once; then all connect at once, log in by SCRAM-SHA-1 with the keys they kept, and resume by ' +
        'XEP-0198. The time runs from the cut to the last `resumed`, the client side (one process on the other core) included.',
    ],
  };
}

async function resumeAll(
  server: Server,
  count: number,
): Promise<{ resumed: number; failed: number; firstError: string; took: number }> {
  const address = { host: '127.0.0.1', port: server.port, tls: false };
  const plan = {
    domain: 'localhost',
    mechanism: 'SCRAM-SHA-1',
    resource: 'cut',
    register: false,
    manage: true,
  } as const;
  const accounts = madeAccounts('bench', count);
  const clients = await inParallel(count, 16, i => logIn(address, accounts[i]!, plan));
  // What is on the way to them arrives, and is counted for `h`.
  const handled = clients.map(() => 0);
  clients.forEach((client, i) =>
    client.wire.readBy(text => void (handled[i]! += text.split(/<(?:presence|message|iq)\b/).length - 1)),
  );
  await sleep(1000);
  let [resumed, failed, firstError] = [0, 0, ''];
  const began = performance.now();
  for (const { wire } of clients) wire.cut();
  const again = await inParallel(count, count, async i => {
    try {
      const client = await Client.open(address, accounts[i]!, plan.domain);
      await client.authenticate(plan.mechanism);
      if (await client.resume(clients[i]!.resumption, handled[i]!)) resumed++;
      return client;
    } catch (error) {
      failed++;
      firstError ||= String(error).slice(0, 120);
      return undefined;
    }
  });
  const took = performance.now() - began;
  for (const client of again) client?.wire.cut();
  return { resumed, failed, firstError, took };
}
