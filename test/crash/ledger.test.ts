import assert from 'node:assert/strict';
import { Ledger, type Verdict } from './ledger.ts';

const NOTHING: Verdict = {
  lost: 0,
  doubled: 0,
  repeated: 0,
  order: 0,
  lied: 0,
  stuck: 0,
  missing: 0,
  unresumed: 0,
  archive: 0,
  faults: 0,
};

describe('the ledger of the crash harness', () => {
  let ledger: Ledger;
  let ids: string[];
  beforeEach(() => {
    ledger = new Ledger();
    ids = [1, 2, 3].map(() => ledger.send('romeo/a', 'juliet'));
    for (const id of ids) ledger.acknowledge(id);
  });
  const receive = (...which: number[]): void => which.forEach(n => ledger.receive('juliet/x', ids[n - 1]!));
  const finds = (expected: Partial<Verdict>): void =>
    assert.deepEqual(ledger.judge().verdict, { ...NOTHING, ...expected });

  it('is content when all came once and in order, on one of the devices', () => {
    receive(1, 2, 3);
    ledger.receive('juliet/y', ids[2]!);
    finds({});
  });

  it('sees what is lost: a copy on another device of the sender is no receipt', () => {
    receive(1, 3);
    ledger.receive('romeo/b', ids[1]!);
    finds({ lost: 1 });
    assert.equal(ledger.judge().examples('lost'), 'romeo-a.juliet.2');
  });

  it('forgives what may be lost', () => {
    receive(1, 3);
    const forgiven = new Set([ids[1]!]);
    ledger.archived('juliet', [ids[0]!, ids[2]!], forgiven);
    assert.deepEqual(ledger.judge({ forgiven }).verdict, NOTHING);
  });

  it('sees what came twice, and whether the sender had a part in it', () => {
    receive(1, 1, 2, 3, 3);
    ledger.resend(ids[2]!);
    finds({ doubled: 1, repeated: 1 });
  });

  it('sees disorder once, not in what comes again', () => {
    receive(2, 1, 3, 2);
    finds({ order: 1, doubled: 1 });
  });

  it('sees what was refused and came, and what was never answered', () => {
    receive(1, 2, 3);
    ledger.refuse(ids[0]!);
    ledger.send('romeo/a', 'juliet');
    finds({ lied: 1, stuck: 1 });
  });

  it('sees which device lacks what it was to have', () => {
    receive(1, 2, 3);
    ledger.receive('juliet/y', ids[0]!);
    assert.equal(ledger.judge({ devices: () => ['juliet/x', 'juliet/y'] }).verdict.missing, 2);
  });

  it('knows what nobody sent', () => {
    receive(1, 2, 3);
    ledger.receive('juliet/x', 'mercutio-a.juliet.1');
    finds({ faults: 1 });
  });

  it('compares archives: missing, double, in disorder, and of both sides', () => {
    receive(1, 2, 3);
    ledger.archived('juliet', [ids[0]!, ids[1]!, ids[2]!]);
    ledger.archived('romeo', [ids[0]!, ids[1]!, ids[2]!]);
    ledger.archived('mercutio', []);
    finds({});
    ledger.archived('juliet', [ids[0]!, ids[0]!, ids[2]!, ids[1]!]);
    ledger.archived('romeo', [ids[0]!]);
    finds({ archive: 4 });
  });
});
