import assert from 'node:assert/strict';
import sinon from 'sinon';
import type { Connection } from '../../src/api/index.ts';
import { type End, streamHash, Transfers } from './transfers.ts';

/** An end without a socket: what happened to it. */
class FakeEnd implements End {
  readonly log: string[] = [];
  readonly connection: Connection;
  backlog = 0;

  constructor() {
    const { log } = this;
    const backlog = (): number => this.backlog;
    this.connection = {
      write: (wire: string) => void log.push(wire),
      flush: () => {},
      pause: () => void log.push('pause'),
      resume: () => void log.push('resume'),
      get backlog() {
        return backlog();
      },
    } as unknown as Connection;
  }

  end(): void {
    this.log.push('end');
  }

  destroy(): void {
    this.log.push('destroy');
  }

  /** What has happened since the last look. */
  get news(): string[] {
    return this.log.splice(0);
  }
}

describe('Transfers of a bytestreams proxy', () => {
  let clock: sinon.SinonFakeTimers;
  let relayed: number;
  let transfers: Transfers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
    relayed = 0;
    transfers = new Transfers(bytes => (relayed += bytes));
  });
  afterEach(() => clock.restore());

  const hash = streamHash('s', 'a@b/c', 'd@e/f');
  const pair = (): [FakeEnd, FakeEnd] => {
    const ends: [FakeEnd, FakeEnd] = [new FakeEnd(), new FakeEnd()];
    for (const end of ends) {
      transfers.arrived(end);
      assert.ok(transfers.join(hash, end, ''));
    }
    assert.equal(transfers.activate('s', 'a@b/c', 'd@e/f'), 'activated');
    for (const end of ends) assert.deepEqual(end.news, ['pause', 'resume']);
    return ends;
  };

  it('reads a sender later while the other one does not take what there is', () => {
    const [one, two] = pair();
    two.backlog = 1_000_000;
    transfers.pass(one, 'abc');
    assert.deepEqual(one.news, ['pause']);
    two.backlog = 0;
    transfers.drained(two);
    assert.deepEqual(one.news, ['resume']);
    assert.equal(relayed, 3);
  });

  it('gives the other one all that was on the way before it closes it', () => {
    const [one, two] = pair();
    two.backlog = 5;
    transfers.pass(one, 'abcde');
    transfers.left(one);
    assert.deepEqual(two.news, ['abcde']);
    two.backlog = 0;
    transfers.drained(two);
    assert.deepEqual(two.news, ['end']);
    assert.equal(transfers.active, 0);
  });

  it('closes what says nothing, waits too long, or stands still', () => {
    const silent = new FakeEnd();
    transfers.arrived(silent);
    const waiting = new FakeEnd();
    transfers.arrived(waiting);
    assert.ok(transfers.join('x', waiting, ''));
    const [one, two] = pair();
    clock.tick(1001);
    transfers.sweep(1000, 5000);
    assert.deepEqual(
      [silent, waiting, one, two].map(end => end.news),
      [['destroy'], ['pause', 'destroy'], [], []],
    );
    clock.tick(4000);
    transfers.pass(one, 'a');
    clock.tick(4000);
    transfers.sweep(1000, 5000);
    assert.deepEqual([one.news, two.news], [[], ['a']]);
    clock.tick(1001);
    transfers.sweep(1000, 5000);
    assert.deepEqual([one.news, two.news], [['destroy'], ['destroy']]);
  });

  it('keeps nothing of ends that have gone', () => {
    const one = new FakeEnd();
    transfers.arrived(one);
    assert.ok(transfers.join(hash, one, 'early'));
    transfers.left(one);
    assert.equal(transfers.activate('s', 'a@b/c', 'd@e/f'), 'unknown');
    pair();
    assert.equal(transfers.active, 1);
    // the hash has been used
    assert.equal(transfers.activate('s', 'a@b/c', 'd@e/f'), 'unknown');
    const late = new FakeEnd();
    assert.ok(transfers.join(hash, late, ''), 'another transfer, with one end');
    assert.equal(transfers.activate('s', 'a@b/c', 'd@e/f'), 'alone');
  });
});
