import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { failuresAmong, readResults, replaced } from './results.ts';
import { judge, readExcuses } from './verdict.ts';

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

  it('a case that was run alone counts as it came out there', () => {
    const mood = 'MoodIntegrationTest.testNotification';
    const run = readResults(printed(FINISHED));
    assert.deepEqual(failuresAmong(run, [mood, 'PingIntegrationTest.pingServer', 'FormTest.testFilloutForm']), [mood]);
    const alone = (end: string): string => `Available tests: 1\nINFO: ${mood} (Normal) ${end}`;
    const good = readResults(alone('Success\nINFO: SmackIntegrationTestFramework[x] finished: 1/1 [0 failed]'));
    const better = replaced(run, mood, good);
    assert.deepEqual(failuresAmong(better, [mood]), []);
    assert.equal(better.results.length, run.results.length);
    assert.equal(better.broken, undefined);
    // and when that run broke, nothing counts
    assert.match(replaced(run, mood, readResults(alone('Start'))).broken!, /ended before/);
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

  it('can read the excuses of this repository', () => {
    const excuses = readExcuses(readFileSync(new URL('excuses.txt', import.meta.url), 'utf8'));
    assert.ok(excuses.size > 0);
  });
});
