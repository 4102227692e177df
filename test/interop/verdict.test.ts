import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { againAlone } from './again.ts';
import { readResults, type Result, type Run } from './results.ts';
import { judge, readCases } from './verdict.ts';

/** What the framework prints, shortened. */
const printed = (end: string, available = 4): string => `INFO: Smack Integration Test Framework
################################

The following test classes are disabled:
Disabled class org.jivesoftware.smackx.iot.IoTDataIntegrationTest because Skipping test class because it is not enabled

Available tests: ${available} (Disabled 0 classes and 8 tests)

INFO: PingIntegrationTest.pingServer (Normal) Start
INFO: PingIntegrationTest.pingServer (Normal) Success
INFO: LoginIntegrationTest.testInvalidLogin (LowLevel, tcp) Start
INFO: LoginIntegrationTest.testInvalidLogin (LowLevel, tcp) Success
INFO: MoodIntegrationTest.testNotification (Normal) Start
SEVERE: MoodIntegrationTest.testNotification (Normal) Failed
java.lang.reflect.InvocationTargetException
Caused by: org.jivesoftware.smack.XMPPException: no
INFO: FormTest.testFilloutForm (Normal) Start
INFO: FormTest.testFilloutForm (Normal) is not possible
INFO: Could not run org.jivesoftware.smackx.muc.UserStatusIntegrationTest because: No MUC (XEP-0045) service found
INFO: Could not run FormTest.testFilloutForm (Normal) because: no forms here
INFO: PingIntegrationTest.pingServer (Normal) ✔
${end}
SEVERE: MoodIntegrationTest.testNotification (Normal) failed: org.jivesoftware.smack.XMPPException: no
`;
const FINISHED = 'INFO: SmackIntegrationTestFramework[ab1cd] finished: 2/4 [1 failed]';

const readExcuses = (text: string) => readCases(text, 'excuses.txt');

const FULL = `# remarks
MoodIntegrationTest.testNotification  PEP

UserStatusIntegrationTest.*           rooms
FormTest.testFilloutForm              rooms
`;

describe("Smack's results and their judgement", () => {
  it('reads what passed, failed and was not run, with the reasons', () => {
    const { results, disabled, broken } = readResults(printed(FINISHED));
    assert.equal(broken, undefined);
    assert.deepEqual(disabled, ['IoTDataIntegrationTest']);
    assert.deepEqual(
      results.map(({ name, variant, outcome, reason }) => [name, variant, outcome, reason]),
      [
        ['PingIntegrationTest.pingServer', 'Normal', 'passed', ''],
        ['LoginIntegrationTest.testInvalidLogin', 'LowLevel, tcp', 'passed', ''],
        ['MoodIntegrationTest.testNotification', 'Normal', 'failed', 'org.jivesoftware.smack.XMPPException: no'],
        ['FormTest.testFilloutForm', 'Normal', 'not run', 'no forms here'],
        ['UserStatusIntegrationTest.*', 'class', 'not run', 'No MUC (XEP-0045) service found'],
      ],
    );
  });

  it('trusts no run that ended early or was read in part', () => {
    assert.match(readResults(printed('')).broken!, /ended before/);
    assert.match(readResults('').broken!, /ended before/);
    assert.match(readResults(printed(FINISHED, 5)).broken!, /speaks of 5 cases, and 4 were read/);
    assert.match(readResults(printed(FINISHED.replace('2/4', '3/4'))).broken!, /4 were read/);
  });

  it('is content when all that did not pass is excused', () => {
    const { problems, passed, excused } = judge(readResults(printed(FINISHED)).results, readExcuses(FULL));
    assert.deepEqual(problems, []);
    assert.equal(passed, 2);
    assert.deepEqual(
      [...excused],
      [
        ['PEP', ['MoodIntegrationTest.testNotification']],
        ['rooms', ['FormTest.testFilloutForm', 'UserStatusIntegrationTest.*']],
      ],
    );
  });

  it('names what is not excused, excuses that are not needed, and those of nothing', () => {
    const { results } = readResults(printed(FINISHED));
    assert.deepEqual(judge(results, readExcuses('')).problems, [
      'MoodIntegrationTest.testNotification (Normal) failed: org.jivesoftware.smack.XMPPException: no',
      'FormTest.testFilloutForm (Normal) was not run: no forms here',
      'UserStatusIntegrationTest.* (class) was not run: No MUC (XEP-0045) service found',
    ]);
    const more = `${FULL}PingIntegrationTest.pingServer x\nPingIntegrationTest.pong x\nPingIntegrationTest.* x\nMudTest.* x\n`;
    assert.deepEqual(judge(results, readExcuses(more)).problems, [
      'PingIntegrationTest.pingServer (Normal) passes: take it out of excuses.txt',
      'PingIntegrationTest.pong is in excuses.txt, but there is no such case',
      'PingIntegrationTest.* is excused as a whole, but was run: excuse its cases one by one',
      'MudTest.* is in excuses.txt, but there is no such case',
    ]);
    // only some cases were run: nothing is said of the others
    assert.equal(judge(results, readExcuses(more), false).problems.length, 1);
  });

  it('refuses excuses without a reason, and two for one case', () => {
    assert.throws(() => readExcuses('# a\nPingTest.ping\n'), /excuses\.txt:2: not "Class\.method {2}reason"/);
    assert.throws(() => readExcuses('ping for no reason\n'), /excuses\.txt:1/);
    assert.throws(() => readExcuses('A.b c\nA.b d\n'), /excuses\.txt:2: A\.b is there twice/);
  });

  it('can read the excuses and the races of this repository', () => {
    for (const file of ['excuses.txt', 'races.txt'])
      assert.ok(readCases(readFileSync(new URL(file, import.meta.url), 'utf8'), file).size > 0);
  });
});

describe("Smack's cases that fail by chance", () => {
  const result = (name: string, outcome: Result['outcome'], variant = 'Normal'): Result => ({
    name,
    variant,
    outcome,
    reason: outcome === 'passed' ? '' : `${outcome} by chance`,
  });
  const of = (...results: Result[]): Run => ({ results, disabled: [] });
  const none = readExcuses('');
  /** Runs `first`, and then alone what is to be, as `second` has it. */
  async function play(first: Run, second: Record<string, Run | Run[]>, excuses = none, races = none) {
    const asked: string[] = [];
    const said: string[] = [];
    const alone = (name: string): Promise<Run> => {
      asked.push(name);
      const runs = second[name]!;
      return Promise.resolve(Array.isArray(runs) ? runs.shift()! : runs);
    };
    const run = await againAlone(first, { excuses, races }, alone, line => said.push(line));
    return { run, asked, said, problems: judge(run.results, excuses, false).problems };
  }

  it('are run again alone, and count as they came out there; the output says so', async () => {
    const first = of(result('A.a', 'passed'), result('A.b', 'failed'), result('A.c', 'failed'));
    const second = { 'A.b': of(result('A.b', 'passed')), 'A.c': of(result('A.c', 'failed')) };
    const { run, asked, said, problems } = await play(first, second);
    assert.deepEqual(asked, ['A.b', 'A.c']);
    assert.deepEqual(
      run.results.map(({ name, outcome }) => `${name} ${outcome}`),
      ['A.a passed', 'A.b passed', 'A.c failed'],
    );
    assert.deepEqual(problems, ['A.c (Normal) failed: failed by chance']);
    assert.deepEqual(said, [
      'A.b (Normal) failed: failed by chance; it is run again with nothing before it',
      'A.b passed when it was run alone',
      'A.c (Normal) failed: failed by chance; it is run again with nothing before it',
      'A.c (Normal) failed: failed by chance when it was run alone',
    ]);
  });

  it('are run until they pass, where they are known to race inside Smack: five times, and not for ever', async () => {
    const [bad, good] = [of(result('A.a', 'failed')), of(result('A.a', 'passed'))];
    const races = readCases('A.a a race', 'races.txt');
    const lucky = await play(bad, { 'A.a': [bad, bad, good] }, none, races);
    assert.deepEqual([lucky.asked.length, lucky.said.length, lucky.problems], [3, 4, []]);
    const never = await play(bad, { 'A.a': bad }, none, races);
    assert.deepEqual([never.asked.length, never.problems], [5, ['A.a (Normal) failed: failed by chance']]);
    const other = await play(bad, { 'A.a': [bad, good] }, none, readCases('A.b a race', 'races.txt'));
    assert.deepEqual([other.asked.length, other.problems.length], [1, 1]);
  });

  it('pass only if they pass in each way in which they are run', async () => {
    const first = of(result('A.a', 'failed', 'tcp'), result('A.a', 'passed', 'modular'));
    const second = { 'A.a': of(result('A.a', 'passed', 'tcp'), result('A.a', 'failed', 'modular')) };
    const { run, asked, problems } = await play(first, second);
    assert.deepEqual(asked, ['A.a']);
    assert.equal(run.results.length, 2);
    assert.deepEqual(problems, ['A.a (modular) failed: failed by chance']);
  });

  it('may be a whole class that could not be made', async () => {
    const first = of(result('A.*', 'not run', 'class'), result('B.b', 'passed'));
    const second = { 'A.*': of(result('A.a', 'passed'), result('A.b', 'failed')) };
    const { run, said, problems } = await play(first, second);
    assert.equal(run.broken, undefined);
    assert.deepEqual(problems, ['A.b (Normal) failed: failed by chance']);
    assert.equal(said[1], 'A.* (Normal) failed: failed by chance when it was run alone');
  });

  it('are none that are excused', async () => {
    const { asked } = await play(of(result('A.a', 'failed')), {}, readExcuses('A.a later'));
    assert.deepEqual(asked, []);
  });

  it('are not many: then none is run again', async () => {
    const cases = ['a', 'b', 'c', 'd', 'e'].map(name => result(`A.${name}`, 'failed'));
    const { asked, said, problems } = await play(of(...cases), {});
    assert.deepEqual(asked, []);
    assert.equal(problems.length, 5);
    assert.match(said.join(), /^5 cases did not pass: too many for chance/);
    const four = cases.slice(0, 4);
    const better = Object.fromEntries(four.map(({ name }) => [name, of(result(name, 'passed'))]));
    assert.deepEqual((await play(of(...four), better)).problems, []);
  });

  it('make the run count for nothing where the second one broke, or left the case out', async () => {
    const first = of(result('A.a', 'failed', 'tcp'));
    const broken = { 'A.a': { ...of(), broken: 'the framework ended before it was done' } };
    assert.match((await play(first, broken)).run.broken!, /ended before/);
    for (const other of [of(), of(result('A.b', 'passed', 'tcp')), of(result('A.a', 'passed', 'modular'))])
      assert.match((await play(first, { 'A.a': other })).run.broken!, /A\.a was to be run alone, and was not/);
  });

  it('are not looked for in a run that broke itself', async () => {
    const { run, asked } = await play({ ...of(result('A.a', 'failed')), broken: 'it broke' }, {});
    assert.deepEqual(asked, []);
    assert.equal(run.broken, 'it broke');
  });
});
