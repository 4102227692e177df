/*
 * Kills a server under load, again and again, and compares what it promised with what came: `npm run crash -- --minutes 10`.
 * Exits with 1 when something was lost, doubled or in disorder.
 */
import { parseArgs } from 'node:util';
import { faultsOf, type Outcome, run } from './run.ts';
import { SCENARIOS, scenario, type Scenario } from './scenarios.ts';

const USAGE = `npm run crash -- [options]
  --minutes N     how long; every scenario is played once at least            (5)
  --seed N        repeats the schedule of another run                         (any)
  --scenario A,B  only these: ${SCENARIOS.map(({ name }) => name).join(', ')}
  --rounds N      kills in each                                               (each scenario's own)
  --users N       people in each                                              (24)
  --rate N        messages a second                                           (400)
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    scenario: { type: 'string' },
    rounds: { type: 'string' },
    users: { type: 'string', default: '24' },
    rate: { type: 'string', default: '400' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(USAGE);
else process.exitCode = await main();

async function main(): Promise<number> {
  const chosen = values.scenario?.split(',').map(known) ?? SCENARIOS;
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : number('seed');
  const until = performance.now() + number('minutes') * 60_000;
  process.stdout.write(`seed ${seed}; to repeat: npm run crash -- --seed ${seed}\n\n`);
  const outcomes: Outcome[] = [];
  const rounds = values.rounds === undefined ? undefined : number('rounds');
  const options = { users: number('users'), rate: number('rate'), rounds, progress };
  for (let turn = 0; turn === 0 || performance.now() < until; turn++) {
    for (const each of chosen) {
      if (turn > 0 && performance.now() > until) break;
      const outcome = await run(each, { ...options, seed: seed + turn });
      clear();
      if (!outcome) process.stdout.write(`${each.name.padEnd(10)} cannot be done on this machine\n`);
      else {
        outcomes.push(outcome);
        tell(outcome);
      }
    }
  }
  return summary(outcomes);
}

/** The findings of one outcome, as they come. */
function tell(outcome: Outcome): void {
  const { sent, acknowledged, refused, received } = outcome.totals;
  const archive = outcome.archive ? ', archive compared' : '';
  process.stdout.write(
    `${outcome.scenario.name.padEnd(10)} seed ${outcome.seed}, ${outcome.kills} kills, ${outcome.seconds.toFixed(0)} s: ` +
      `${sent} sent, ${acknowledged} acknowledged, ${refused} refused, ${received} received${archive}\n`,
  );
  for (const fault of faultsOf(outcome)) process.stdout.write(`  FAULT: ${fault}\n`);
}

/** The table of all. The exit code. */
function summary(outcomes: readonly Outcome[]): number {
  const columns = ['kills', 'sent', 'lost', 'doubled', 'repeated', 'order', 'unresumed', 'archive', 'other'] as const;
  const row = (name: string, cells: readonly (string | number)[]): string =>
    `${name.padEnd(12)}${cells.map(cell => String(cell).padStart(11)).join('')}\n`;
  process.stdout.write(`\n${row('', columns)}`);
  const names = [...new Set(outcomes.map(({ scenario: { name } }) => name))];
  for (const name of [...names, 'all']) {
    const these = outcomes.filter(({ scenario: each }) => name === 'all' || each.name === name);
    const sum = (of: (outcome: Outcome) => number): number => these.reduce((total, each) => total + of(each), 0);
    const cells = columns.map(column => {
      if (column === 'kills') return sum(({ kills }) => kills);
      if (column === 'sent') return sum(({ totals }) => totals.sent);
      if (column === 'other') {
        return sum(({ judgement: { verdict } }) => verdict.lied + verdict.stuck + verdict.missing + verdict.faults);
      }
      if (column === 'archive' && !these.some(({ archive }) => archive)) return '-';
      return sum(({ judgement }) => judgement.verdict[column]);
    });
    process.stdout.write(row(name, cells));
  }
  const faults = outcomes.flatMap(faultsOf).length;
  process.stdout.write(faults === 0 ? '\nnothing lost, doubled or in disorder\n' : `\n${faults} FAULTS, see above\n`);
  return faults === 0 ? 0 : 1;
}

function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`);
}

function clear(): void {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
}

function number(name: 'minutes' | 'seed' | 'rounds' | 'users' | 'rate'): number {
  const value = Number(values[name]);
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} is a number\n${USAGE}`);
  return value;
}

function known(name: string): Scenario {
  const found = scenario(name);
  if (!found) throw new Error(`'${name}' is no scenario\n${USAGE}`);
  return found;
}
