import { pbkdf2Sync } from 'node:crypto';
import type { Context, Outcome, Row } from '../context.ts';
import type { Mechanism } from '../load/client.ts';
import type { LoginsEvent } from '../load/events.ts';
import { round } from '../result.ts';

const mechanisms: readonly Mechanism[] = ['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256'];
const limits: Partial<Record<Mechanism, number>> = { PLAIN: 3, 'SCRAM-SHA-1': 1, 'SCRAM-SHA-256': 1 };
/**
 * PLAIN costs what its key derivation costs, and machines differ twofold in that: so it is met in proportion as well, to Prosody, which
 * took 3.9 ms where the limit was set.
 */
const PLAIN_OF_PROSODY = 3 / 3.9;

export const loginRow: Row = { name: 'login', title: 'Logins, plain TCP', run: logins };

async function logins(context: Context): Promise<Outcome> {
  const count = context.quick ? 100 : 400;
  const results: { name: string; event: LoginsEvent }[] = [];
  for (const target of context.servers) {
    const server = await context.start(target);
    if (!server) continue;
    try {
      await context.accounts(server, 2 * count);
      // Twice as many accounts as logins, so that no server knows a password again from a login of this row.
      const load = await context.load(server, { sessions: 0, accounts: 2 * count });
      for (const mechanism of mechanisms) {
        await load.logins(50, mechanism);
        results.push({ name: target.name, event: await load.logins(count, mechanism) });
      }
      await load.quit();
    } catch (error) {
      context.note(`${target.name} was not measured: ${(error as Error).message}`);
    }
    await server.stop();
  }
  const derivation = derivationTime();
  const worked = results.filter(({ event }) => event.failed === 0);
  return {
    claims: mechanisms.map(mechanism => {
      const found = worked.filter(({ event }) => event.mechanism === mechanism);
      const ours = found.find(({ name }) => name === 'posthouse')?.event.cpuPerLogin;
      const limit = limits[mechanism]!;
      const plain = mechanism === 'PLAIN';
      const prosody = found.find(({ name }) => name === 'prosody')?.event.cpuPerLogin;
      const proportion = plain && ours && prosody ? ours / prosody : undefined;
      const values = found.map(({ name, event }) => [name, round(event.cpuPerLogin)] as const);
      return {
        what: `Server CPU a login, ${mechanism}`,
        unit: 'ms',
        target: plain ? `at most ${limit} ms, or ${round(PLAIN_OF_PROSODY)} of Prosody's` : `at most ${limit} ms`,
        values: Object.fromEntries(plain ? [['floor', round(derivation)], ...values] : values),
        met: ours === undefined ? undefined : ours <= limit || (proportion ?? Infinity) <= PLAIN_OF_PROSODY,
      };
    }),
    tables: [
      {
        caption: `${count} logins each, 8 at a time`,
        columns: ['', 'mechanism', 'CPU ms a login', 'logins/s', 'failed', 'first failure'],
        lines: results.map(({ name, event }) => [
          name,
          event.mechanism,
          event.failed === 0 ? round(event.cpuPerLogin) : '-',
          event.failed === 0 ? Math.round(event.count / event.seconds) : '-',
          event.failed,
          event.firstError.slice(0, 120),
        ]),
      },
    ],
    notes: [
      'A login: connect, stream, SASL, bind, end of stream; each by another account, after 50 that do not count. The floor of PLAIN is ' +
        "PBKDF2 alone (SHA-256, 10,000 iterations, this machine's OpenSSL): Posthouse keeps no password and remembers none.",
    ],
  };
}

/** CPU milliseconds of one key derivation. */
function derivationTime(): number {
  const rounds = 50;
  const salt = Buffer.alloc(16);
  const from = process.cpuUsage();
  for (let i = 0; i < rounds; i++) pbkdf2Sync(`password ${i}`, salt, 10_000, 32, 'sha256');
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000 / rounds;
}
