/** Smack's integration tests against the running program; `npm run interop -- --help` explains. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { AGAIN_AT_MOST, againAlone } from './again.ts';
import { readResults, type Run } from './results.ts';
import { Server } from './server.ts';
import { CACHE, fetchJars, LEFT_OUT, makeTrustStore, OMEMO, type Printed, runSmack } from './smack.ts';
import { type Excuses, judge, type Races, readCases } from './verdict.ts';

const DOMAIN = 'example.org';
const HOST = '127.0.0.9';
const PORT = 5222;
const MODES = ['required', 'disabled'] as const;
type Mode = (typeof MODES)[number];

const help = `Runs the integration tests of Smack, a client library of others, against this server.

  npm run interop                                  all, once over STARTTLS and once without TLS
  npm run interop -- --security required           only over STARTTLS ("disabled": only without TLS)
  npm run interop -- --only RosterIntegrationTest  one class, or one case: --only Class.method; may be repeated
  npm run interop -- --keep                        leave the server's data folder, and say where it is
  npm run interop -- --help

The first run fetches Smack with Maven (24 MB, to .cache/smack/lib, which git ignores); it needs java and mvn. The server is started
with test/interop/posthouse.yaml on ${HOST}:${PORT}, data in a temporary folder and an administrator with a password made for the run;
Smack makes its accounts through XEP-0133 and removes them. Left in .cache/smack are MODE.log, MODE.traffic.log (each stanza) and MODE.server.log.

A case that does not pass is run again with nothing before it, as Smack's cases disturb each other now and then, and counts as it
comes out there; the output names it. One that test/interop/races.txt names, as it races inside Smack, has five tries. Where more than
${AGAIN_AT_MOST} do not pass, none is run again.

test/interop/excuses.txt names the cases that need what is not there yet, each with the reason. The exit code is 1 when a case
fails or cannot be run without being listed there, when one that is listed passes or does not exist, or when the server
complains in its log or does not end in order.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean' },
      security: { type: 'string', default: 'both' },
      only: { type: 'string', multiple: true, default: [] },
      keep: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const modes = values.security === 'both' ? MODES : MODES.filter(mode => mode === values.security);
  if (modes.length === 0) throw new Error(`--security is required, disabled or both, not ${values.security}`);
  const read = (file: string) => readCases(readFileSync(new URL(file, import.meta.url), 'utf8'), file);
  const [excuses, races] = [read('excuses.txt'), read('races.txt')];
  const jars = fetchJars();
  let good = true;
  for (const mode of modes) {
    const verdict = await runMode(mode, { jars, excuses, races, ...values });
    good = verdict && good;
  }
  return good ? 0 : 1;
}

async function runMode(
  mode: Mode,
  options: { jars: string; excuses: Excuses; races: Races; only: string[]; keep: boolean },
): Promise<boolean> {
  const data = mkdtempSync(path.join(tmpdir(), 'posthouse-interop-'));
  const admin = { name: 'admin', password: randomBytes(12).toString('base64url') };
  console.log(`\nSmack's integration tests, security mode ${mode}`);
  try {
    Server.addUser(data, `${admin.name}@${DOMAIN}`, admin.password);
    const server = await Server.start(data, HOST, PORT);
    const runs: Printed[] = [];
    try {
      const trustStore = path.join(data, 'trust.p12');
      makeTrustStore(path.join(data, 'certificates', `${DOMAIN}.crt`), trustStore);
      const runPart = async (omemo: boolean, only: readonly string[]): Promise<Run> => {
        const { jars } = options;
        const printed = await runSmack({
          jars,
          domain: DOMAIN,
          host: HOST,
          security: mode,
          trustStore,
          admin,
          only,
          omemo,
        });
        runs.push(printed);
        const { broken, ...read } = readResults(printed.log);
        return broken === undefined ? read : { ...read, broken: `${broken}:\n${printed.log.slice(-3000)}` };
      };
      const run = async (only: readonly string[]): Promise<Run> => {
        const parts: Run[] = [];
        for (const omemo of [false, true]) {
          const wanted = only.filter(name => isOmemo(name) === omemo);
          if (only.length === 0 || wanted.length > 0) parts.push(await runPart(omemo, wanted));
        }
        return together(parts);
      };
      const first = await run(options.only);
      // the framework is asked for a class by its name alone
      const alone = (name: string): Promise<Run> => run([name.replace(/\.\*$/, '')]);
      const whole = await againAlone(first, options, alone, line => console.log(`  AGAIN: ${line}`));
      return report(whole, options, server.complaints);
    } finally {
      writeFileSync(path.join(CACHE, `${mode}.log`), runs.map(({ log }) => log).join('\n'));
      writeFileSync(path.join(CACHE, `${mode}.traffic.log`), runs.map(({ traffic }) => traffic).join('\n'));
      writeFileSync(path.join(CACHE, `${mode}.server.log`), server.log);
      await server.stop();
    }
  } finally {
    if (options.keep) console.log(`  data are in ${data}`);
    else rmSync(data, { recursive: true, force: true });
  }
}

const isOmemo = (name: string): boolean => OMEMO.includes(name.split('.')[0]!);

/** What came out of several runs, as if it were one. */
function together(runs: readonly Run[]): Run {
  const broken = runs.find(run => run.broken !== undefined)?.broken;
  const results = runs.flatMap(run => run.results);
  const disabled = runs.flatMap(run => run.disabled).filter(name => !LEFT_OUT.includes(name) && !OMEMO.includes(name));
  return { results, disabled: [...new Set(disabled)], ...(broken === undefined ? {} : { broken }) };
}

/** Prints what came out. Gives whether all is well. */
function report(run: Run, options: { excuses: Excuses; only: string[] }, complaints: readonly string[]): boolean {
  const whole = options.only.length === 0;
  const { results, disabled, broken } = run;
  const { problems, passed, excused } = judge(results, options.excuses, whole && broken === undefined);
  const all = [
    ...(broken === undefined ? [] : [broken]),
    ...(whole ? disabled.map(name => `${name} is disabled, and nobody asked for that`) : []),
    ...problems,
    ...complaints.map(line => `the server complains: ${line}`),
  ];
  for (const [reason, names] of excused) console.log(`  excused: ${reason}\n    ${names.toSorted().join('\n    ')}`);
  for (const problem of all) console.log(`  PROBLEM: ${problem}`);
  const count = [...excused.values()].flat().length;
  console.log(`  ${passed} passed, ${count} excused, ${all.length} problem${all.length === 1 ? '' : 's'}`);
  return all.length === 0;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 2;
});
