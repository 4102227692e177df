import assert from 'node:assert/strict';
import { findings, type Known, KNOWN } from './known.ts';
import { Ledger } from './ledger.ts';
import type { Outcome } from './run.ts';
import { SCENARIOS, scenario } from './scenarios.ts';

/** An outcome in which a message was lost, or was not. */
function outcome(lost: boolean, rounds: number): Outcome {
  const ledger = new Ledger();
  const id = ledger.send('romeo/a', 'juliet');
  ledger.acknowledge(id);
  ledger.resend(id);
  if (!lost) for (let times = 0; times < 2; times++) ledger.receive('juliet/x', id);
  const rest = { seed: 1, kills: rounds, totals: ledger.totals(), resumptions: 0, archive: false, seconds: 1 };
  return { scenario: scenario('away')!, rounds, judgement: ledger.judge(), ...rest };
}

const known: Known[] = [{ scenario: 'away', invariant: 'lost', within: 3, why: 'it rains' }];
const kinds = (...of: Parameters<typeof findings>): string[] =>
  findings(...of).map(({ kind, invariant }) => `${kind} ${invariant}`);

describe('what is known not to hold', () => {
  it('is told from what is new', () => {
    assert.deepEqual(kinds(outcome(true, 1), known), ['known lost']);
    assert.deepEqual(kinds(outcome(true, 1), []), ['new lost']);
  });

  it('fails once it holds, in a run that is long enough to say so', () => {
    assert.deepEqual(kinds(outcome(false, 2), known, false), []);
    assert.deepEqual(kinds(outcome(false, 3), known, false), ['held lost']);
  });

  it('a message that its sender sent twice may come twice unless the server says that it drops the second', () => {
    assert.deepEqual(kinds(outcome(false, 1), [], false), []);
    assert.deepEqual(kinds(outcome(false, 1), [], true), ['new repeated']);
  });

  it('names scenarios that are there', () => {
    const names = new Set(SCENARIOS.map(({ name }) => name));
    for (const { scenario: name } of KNOWN) assert.ok(names.has(name), name);
  });
});
