/*
 * Stops a database under load, and begins it again: `npm run away -- --seconds 60 --database mysql`. Exits with 1 when something that was
 * acknowledged is lost, doubled or in disorder, when an acknowledgement was false, when memory grew too much, or when service did not
 * return by itself.
 */
import { parseArgs } from 'node:util';
import { type Kind, KINDS, lacksDatabase } from '../kit/databases.ts';
import { awayFaults, awayRun, mebibytes, MEMORY } from './away-run.ts';

const USAGE = `npm run away -- [options]
  --database A,B  ${KINDS.join(', ')}                     (both)
  --seconds N     how long it is away                 (60)
  --users N       people who write to each other      (24)
  --rate N        messages a second                   (300)
  --seed N        repeats the choices of another run  (any)

A node's memory may grow by ${mebibytes(MEMORY)} MiB meanwhile.
`;

const { values } = parseArgs({
  options: {
    database: { type: 'string', default: KINDS.join() },
    seconds: { type: 'string', default: '60' },
    users: { type: 'string', default: '24' },
    rate: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(USAGE);
else process.exitCode = await main();

async function main(): Promise<number> {
  const kinds = values.database.split(',') as Kind[];
  const [seconds, users, rate, seed] = [values.seconds, values.users, values.rate, values.seed].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  if (![seconds, users, rate, seed].every(value => value >= 0) || users < 8)
    throw new Error(`--seconds, --users (8 at least), --rate, --seed are numbers\n${USAGE}`);
  if (kinds.some(kind => !KINDS.includes(kind))) throw new Error(`--database is ${KINDS.join(' or ')}\n${USAGE}`);
  let good = true;
  for (const kind of kinds) {
    const lacks = lacksDatabase(kind);
    if (lacks !== undefined) {
      process.stdout.write(`${kind}: not there, ${lacks}\n`);
      good = false;
      continue;
    }
    const outcome = await awayRun({ kind, seconds, users, rate, seed, progress });
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
    const { totals, memory, noticed, back, refused } = outcome;
    process.stdout.write(
      `${kind}, away for ${seconds} s, seed ${seed}: ${totals.sent} sent, ${totals.refused} given back (${refused} of those sent while it was away), ` +
        `${totals.received} received; noticed after ${Math.round(noticed)} ms, back after ${Math.round(back)} ms; ` +
        `memory ${mebibytes(memory.before)} MiB before, ${mebibytes(memory.most)} at most; ${outcome.complaints.length} lines of complaint\n`,
    );
    for (const fault of awayFaults(outcome)) {
      process.stdout.write(`  FAULT: ${fault}\n`);
      good = false;
    }
  }
  return good ? 0 : 1;
}

function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`);
}
