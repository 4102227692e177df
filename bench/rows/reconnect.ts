import type { Context, Outcome, Row } from '../context.ts';
import { round } from '../result.ts';
import { posthouse } from '../targets/posthouse.ts';

const LIMIT = 0.3; // ms
const CLIENTS = 200;

export const reconnectRow: Row = {
  name: 'reconnect',
  title: 'Reconnects by token, resumed, plain TCP',
  run: reconnects,
};

/** Prosody 0.12 and ejabberd 23.01 know neither SASL2 nor tokens: ours alone. */
async function reconnects(context: Context): Promise<Outcome> {
  const rounds = context.quick ? 3 : 50;
  const server = await context.start(posthouse);
  if (!server) return { claims: [], tables: [], notes: [] };
  try {
    await context.accounts(server, CLIENTS);
    const load = await context.load(server, { sessions: 0, accounts: CLIENTS });
    const { count, seconds, cpuEach, failed, firstError } = await load.reconnects(CLIENTS, rounds);
    await load.quit();
    const worked = failed === 0;
    return {
      claims: [
        {
          what: 'Server CPU a reconnect by token with resumption',
          unit: 'ms',
          target: `at most ${LIMIT} ms`,
          values: worked ? { posthouse: round(cpuEach) } : {},
          met: worked && cpuEach <= LIMIT,
        },
      ],
      tables: [
        {
          caption: `${CLIENTS} clients, each cut and back ${rounds} times, 8 at a time`,
          columns: ['', 'CPU ms each', 'reconnects/s', 'failed', 'first failure'],
          lines: [
            ['posthouse', worked ? round(cpuEach) : '-', Math.round(count / seconds), failed, firstError.slice(0, 120)],
          ],
        },
      ],
      notes: [
        'A reconnect: the connection is closed without a word, another is made, and header, <authenticate> with a token (HT-SHA-256-NONE) and <resume> go ' +
          "out in one write; it ends with <resumed>. Each came back 100 times before, which do not count: a server that has been up for a minute has compiled what it runs. Without TLS, whose handshake is OpenSSL's; what is counted is all else, the end of the old connection and the accepting of the new one included.",
      ],
    };
  } finally {
    await server.stop();
  }
}
