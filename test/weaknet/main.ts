/*
 * People write to each other through a network that breaks all the time, with clients of ours and of others: `npm run weaknet`.
 * Exits with 1 when anything was lost, doubled, in disorder, or missing on one of their devices.
 */
import { parseArgs } from 'node:util';
import { FOREIGN, foreign } from './foreign.ts';
import { HARMS, type Harm } from './network.ts';
import { own } from './own.ts';

const CLIENTS = ['own', ...Object.keys(FOREIGN)];
const USAGE = `npm run weaknet -- [options]
  --client A,B    only these: ${CLIENTS.join(', ')}
  --messages N    each way                                (1000)
  --cuts N        connections that break                  (100)
  --seed N        repeats the choices of another run      (any)
  --harm A,B      only these: ${Object.keys(HARMS).join(', ')}
`;

const { values } = parseArgs({
  options: {
    client: { type: 'string', default: CLIENTS.join() },
    messages: { type: 'string', default: '1000' },
    cuts: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    harm: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(USAGE);
else process.exitCode = await main();
// clients of others leave timers behind
setTimeout(() => process.exit(), 1_000).unref();

async function main(): Promise<number> {
  const [messages, cuts, seed] = [Number(values.messages), Number(values.cuts), Number(values.seed)];
  if (!(messages > 0) || !(cuts > 0) || !Number.isInteger(seed))
    throw new Error(`--messages, --cuts, --seed are numbers\n${USAGE}`);
  const harms = values.harm?.split(',');
  const clients = values.client.split(',');
  const unknown = [
    ...clients.filter(name => !CLIENTS.includes(name)),
    ...(harms ?? []).filter(harm => !Object.hasOwn(HARMS, harm)),
  ];
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}\n${USAGE}`);
  process.stdout.write(`seed ${seed}; to repeat: npm run weaknet -- --seed ${seed}\n\n`);
  let failed = 0;
  for (const name of clients) {
    const began = performance.now();
    const options = { seed, messages, cuts, harms: harms as Harm[] | undefined };
    const outcome = name === 'own' ? await own(options) : await foreign(name, options);
    const faults = outcome.judgement.faults();
    if (faults.length > 0) failed++;
    const did = [...outcome.harms].map(([harm, times]) => `${harm} ${times}`).join(', ');
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    process.stdout.write(
      `${name.padEnd(13)} ${outcome.sent} messages, ${outcome.cuts} breaks, ${seconds} s: ` +
        `${faults.length === 0 ? 'all there, once and in order' : 'FAULTS'}\n              (${did})\n`,
    );
    for (const fault of faults) process.stdout.write(`  FAULT: ${fault}\n`);
  }
  return failed === 0 ? 0 : 1;
}
