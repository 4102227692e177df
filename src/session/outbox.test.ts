import assert from 'node:assert/strict';
import { FakeConnection } from '../../test/kit/connection.ts';
import { Safety } from '../bus/safety.ts';
import { Unit } from '../util/unit.ts';
import { Outbox } from './outbox.ts';

/** An outbox with a connection, and what became of the stanzas whose givers asked. */
class Trial {
  readonly outbox: Outbox;
  readonly told: string[] = [];
  connection = new FakeConnection();
  #clock = 0;

  constructor(acks?: number) {
    this.outbox = new Outbox(undefined, acks);
  }

  push(...wires: string[]): this {
    for (const wire of wires) {
      this.outbox.push(wire, ++this.#clock, taken => this.told.push(`${wire} ${taken ? 'taken' : 'left'}`), false);
    }
    return this;
  }

  flush(): boolean {
    return this.outbox.flush(this.connection);
  }

  /** What the kernel took is seen by the outbox. */
  take(bytes?: number): void {
    this.connection.take(bytes);
    if (this.connection.backlog === 0) this.outbox.drained();
  }

  reconnect(): this {
    this.outbox.disconnected(this.connection);
    this.connection = new FakeConnection();
    return this;
  }

  left(): string[] {
    return [...this.outbox.leave()].map(item => item.wire);
  }
}

describe('Outbox without acknowledgements', () => {
  it('a stanza is taken when the kernel took its last byte', () => {
    const trial = new Trial().push('<a/>', '<b/>');
    assert.equal(trial.flush(), true);
    assert.equal(trial.connection.said(), '<a/><b/>');
    assert.deepEqual(trial.told, ['<a/> taken', '<b/> taken']);
    assert.equal(trial.outbox.size, 0);
    assert.equal(trial.outbox.bytes, 0);
  });

  it('while the kernel takes nothing, stanzas stay', () => {
    const trial = new Trial();
    trial.connection.frozen = true;
    trial.push('<a/>', '<b/>').flush();
    assert.deepEqual(trial.told, []);
    assert.equal(trial.outbox.bytes, 8);
    trial.take();
    assert.deepEqual(trial.told, ['<a/> taken', '<b/> taken']);
  });

  it('at the end of the connection, what its kernel took whole is taken, and the rest is left in order', () => {
    const trial = new Trial();
    trial.connection.write('<header/>');
    trial.connection.frozen = true;
    trial.push('<a/>', '<bb/>', '<c/>').flush();
    trial.push('<d/>');
    trial.take(4 + 4); // <a/>, and four of the five bytes of <bb/>
    trial.reconnect();
    assert.deepEqual(trial.told, ['<a/> taken']);
    assert.deepEqual(trial.left(), ['<bb/>', '<c/>', '<d/>']);
    assert.equal(trial.outbox.bytes, 0);
  });

  it('bytes that were written before the first stanza are not those of a stanza', () => {
    const trial = new Trial();
    trial.connection.frozen = true;
    trial.connection.write('<success/>');
    trial.push('<a/>').flush();
    trial.take(10);
    trial.reconnect();
    assert.deepEqual(trial.left(), ['<a/>']);
  });

  it('writes no more than a window ahead of the kernel, and goes on when it is drained', () => {
    const trial = new Trial();
    trial.connection.frozen = true;
    const big = `<a>${'x'.repeat(50_000)}</a>`;
    trial.push(big, big, big, big, big).flush();
    assert.equal(trial.connection.writes.length, 3);
    assert.equal(trial.outbox.unwritten, 2);
    assert.equal(trial.flush(), false);
    trial.take();
    assert.equal(trial.told.length, 3);
    trial.flush();
    assert.equal(trial.outbox.unwritten, 0);
    trial.take();
    assert.equal(trial.told.length, 5);
  });

  it('a stanza larger than the window is written alone', () => {
    const trial = new Trial();
    trial.connection.frozen = true;
    trial.push(`<a>${'x'.repeat(200_000)}</a>`, '<b/>').flush();
    assert.equal(trial.connection.writes.length, 1);
    trial.take();
    trial.flush();
    assert.equal(trial.connection.writes.length, 2);
  });

  it('counts bytes and stanzas against its bounds', () => {
    const trial = new Trial().push('12345', '67890');
    assert.equal(trial.outbox.exceeds({ bytes: 10, stanzas: 2 }), false);
    assert.equal(trial.outbox.exceeds({ bytes: 9, stanzas: 2 }), true);
    assert.equal(trial.outbox.exceeds({ bytes: 10, stanzas: 1 }), true);
  });

  it('who is told may give another stanza at once', () => {
    const outbox = new Outbox();
    const connection = new FakeConnection();
    outbox.push('<a/>', 1, () => outbox.push('<b/>', 2, undefined, false), false);
    outbox.flush(connection);
    assert.equal(outbox.size, 1);
    outbox.flush(connection);
    assert.equal(connection.said(), '<a/><b/>');
  });
});

describe('Outbox with acknowledgements: XEP-0198', () => {
  function agreed(): Trial {
    const trial = new Trial();
    trial.outbox.acknowledge();
    return trial;
  }

  it('a stanza stays until the client acknowledges it', () => {
    const trial = agreed().push('<a/>', '<b/>', '<c/>');
    trial.flush();
    assert.deepEqual(trial.told, []);
    assert.equal(trial.outbox.unacknowledged, 3);
    assert.equal(trial.outbox.ack(2), true);
    assert.deepEqual(trial.told, ['<a/> taken', '<b/> taken']);
    assert.equal(trial.outbox.unacknowledged, 1);
    assert.equal(trial.outbox.sent, 3);
    // the same again changes nothing
    assert.equal(trial.outbox.ack(2), true);
    assert.equal(trial.told.length, 2);
  });

  it('more than was sent cannot be acknowledged, nor what was not written yet', () => {
    const trial = agreed().push('<a/>');
    assert.equal(trial.outbox.ack(1), false);
    trial.flush();
    assert.equal(trial.outbox.ack(2), false);
    assert.equal(trial.outbox.ack(1), true);
    // nor less than before
    assert.equal(trial.outbox.ack(0), false);
  });

  it('what was sent on a connection that is gone is sent again, behind what the client says it has', () => {
    const trial = agreed().push('<a/>', '<b/>', '<c/>');
    trial.flush();
    trial.reconnect().push('<d/>');
    // the client may have had all three
    assert.equal(trial.outbox.ack(4), false);
    assert.equal(trial.outbox.ack(1), true);
    trial.flush();
    assert.equal(trial.connection.said(), '<b/><c/><d/>');
    assert.equal(trial.outbox.sent, 4);
  });

  it('a second connection that dies before it wrote all leaves the count of the first', () => {
    const trial = agreed();
    const big = (name: string): string => `<${name}>${'x'.repeat(100_000)}</${name}>`;
    trial.push(big('a'), big('b'));
    trial.flush();
    trial.reconnect();
    trial.connection.frozen = true;
    trial.push(big('c'));
    assert.equal(trial.outbox.ack(0), true);
    trial.flush();
    assert.equal(trial.outbox.unwritten, 1);
    trial.reconnect();
    assert.equal(trial.outbox.ack(3), false);
    assert.equal(trial.outbox.ack(2), true);
    trial.flush();
    assert.match(trial.connection.said(), /^<c>/);
  });

  it('an acknowledgement may reach past what the present connection was sent, to what an older one was', () => {
    const trial = agreed().push('<a/>', '<b/>', '<c/>');
    trial.flush();
    trial.reconnect();
    assert.equal(trial.outbox.ack(3), true);
    trial.push('<d/>').flush();
    assert.equal(trial.connection.said(), '<d/>');
    assert.equal(trial.outbox.ack(4), true);
    assert.equal(trial.outbox.size, 0);
  });

  it('counts modulo 2^32', () => {
    const trial = new Trial(0xfffffffe);
    trial.outbox.acknowledge();
    trial.push('<a/>', '<b/>', '<c/>').flush();
    assert.equal(trial.outbox.sent, 1);
    assert.equal(trial.outbox.ack(2), false);
    assert.equal(trial.outbox.ack(0xffffffff), true);
    assert.equal(trial.outbox.ack(1), true);
    assert.equal(trial.outbox.acks, 1);
    assert.equal(trial.outbox.size, 0);
  });

  it('what was sent before that was agreed is not counted, and stays until the kernel has it', () => {
    const trial = new Trial();
    trial.connection.frozen = true;
    trial.push('<offline1/>', '<offline2/>').flush();
    trial.outbox.acknowledge();
    assert.deepEqual(trial.told, []);
    trial.push('<a/>').flush();
    assert.equal(trial.outbox.sent, 1);
    assert.equal(trial.outbox.unacknowledged, 1);
    assert.equal(trial.outbox.ack(2), false);
    trial.take();
    assert.deepEqual(trial.told, ['<offline1/> taken', '<offline2/> taken']);
    assert.equal(trial.outbox.ack(1), true);
    assert.equal(trial.outbox.size, 0);
  });

  it('an acknowledgement of what came later acknowledges it too', () => {
    const trial = new Trial();
    trial.connection.frozen = true;
    trial.push('<offline/>').flush();
    trial.outbox.acknowledge();
    trial.push('<a/>').flush();
    assert.equal(trial.outbox.ack(1), true);
    assert.deepEqual(trial.told, ['<offline/> taken', '<a/> taken']);
  });

  it('of what was sent before, the next connection brings what the kernel never took, and from then on it counts', () => {
    const trial = new Trial();
    trial.connection.frozen = true;
    trial.push('<one/>', '<two/>').flush();
    trial.outbox.acknowledge();
    trial.push('<a/>').flush();
    trial.take(6);
    trial.reconnect();
    assert.deepEqual(trial.told, ['<one/> taken']);
    assert.equal(trial.outbox.sent, 0);
    trial.flush();
    assert.equal(trial.connection.said(), '<two/><a/>');
    assert.equal(trial.outbox.ack(2), true);
    assert.equal(trial.outbox.size, 0);
  });

  it('all that is left is given away, told or not', () => {
    const trial = agreed().push('<a/>', '<b/>');
    trial.flush();
    trial.push('<c/>');
    assert.deepEqual(trial.left(), ['<a/>', '<b/>', '<c/>']);
    assert.equal(trial.outbox.size, 0);
    assert.equal(trial.outbox.unacknowledged, 0);
  });
});

describe('Outbox: a reader that takes nothing', () => {
  it('is known by the time since it took anything', () => {
    const trial = new Trial();
    const { outbox } = trial;
    const stuck = (now: number): number | undefined => outbox.stuckSince(trial.connection, now);
    assert.equal(stuck(1_000), undefined);
    trial.connection.frozen = true;
    trial.push('<a/>', '<b/>').flush();
    assert.equal(stuck(5_000), 5_000);
    assert.equal(stuck(10_000), 5_000);
    trial.take(1);
    assert.equal(stuck(15_000), 15_000);
    trial.push('<c/>').flush();
    assert.equal(stuck(20_000), 15_000);
    trial.take();
    assert.equal(stuck(25_000), undefined);
  });

  it('is not the one that comes back to a long queue', () => {
    const trial = new Trial();
    trial.outbox.acknowledge();
    trial.connection.frozen = true;
    trial.push('<a/>').flush();
    assert.equal(trial.outbox.stuckSince(trial.connection, 1_000), 1_000);
    trial.reconnect();
    trial.connection.frozen = true;
    trial.flush();
    assert.equal(trial.outbox.stuckSince(trial.connection, 900_000), 900_000);
  });

  describe('messages whose senders wait to hear that they are safe', () => {
    function safe(outbox: Outbox, ...wires: string[]): Safety[] {
      return wires.map((wire, i) => {
        const safety = new Safety();
        outbox.push(wire, i + 1, undefined, false, safety);
        return safety;
      });
    }

    it('are safe when the client has them, one by one', () => {
      const trial = new Trial();
      trial.outbox.acknowledge();
      const [a, b] = safe(trial.outbox, '<a/>', '<b/>');
      trial.flush();
      assert.equal(trial.outbox.unsafeSince, 1);
      trial.outbox.ack(1);
      assert.deepEqual([a!.isReached, b!.isReached], [true, false]);
      assert.equal(trial.outbox.unsafeSince, 2);
      trial.outbox.ack(2);
      assert.equal(trial.outbox.unsafeSince, undefined);
    });

    it('are safe when they are stored, and whoever stored them hears what became of them', async () => {
      const { outbox } = new Trial();
      outbox.acknowledge();
      const [a, b, c] = safe(outbox, '<a/>', '<b/>', '<c/>');
      const told: boolean[] = [];
      const commit = Promise.withResolvers<void>();
      outbox.entrust(wire => {
        if (wire === '<c/>') return 'not for later';
        return wire === '<b/>' ? undefined : { committed: commit.promise, taken: taken => void told.push(taken) };
      });
      assert.deepEqual([a!.isReached, b!.isReached, c!.isReached], [false, false, true]);
      commit.resolve();
      const [first] = outbox.leave();
      await first!.storing;
      assert.equal(a!.isReached, true);
      first!.taken!(false);
      assert.deepEqual(told, [false]);
    });

    it('are where they were when they cannot be stored', async () => {
      const { outbox } = new Trial();
      outbox.acknowledge();
      const [a] = safe(outbox, '<a/>');
      outbox.entrust(() => ({ committed: Promise.reject(new Error('full')), taken: () => assert.fail('told') }));
      const [left] = outbox.leave();
      await left!.storing;
      assert.equal(left!.taken, undefined);
      assert.equal(a!.isReached, false);
    });
  });

  it('knows a count that was said before its last acknowledgement', () => {
    const trial = new Trial(0xffffffff);
    trial.outbox.acknowledge();
    trial.push('<a/>', '<b/>', '<c/>').flush();
    trial.outbox.ack(1);
    assert.deepEqual(
      [0xfffffffe, 0xffffffff, 0, 1, 2, 3].map(h => trial.outbox.isPast(h)),
      [true, true, true, false, false, false],
    );
  });
});

describe('Outbox whose messages have stories', () => {
  const filled = (): { outbox: Outbox; told: number[]; connection: FakeConnection } => {
    const told: number[] = [];
    const outbox = new Outbox({ told: story => told.push(story) });
    for (const story of [7, 0, 9]) outbox.push('<a/>', 1, undefined, false, undefined, story);
    return { outbox, told, connection: new FakeConnection() };
  };

  it('tells each that its client has, once; and knows the others', () => {
    const { outbox, told, connection } = filled();
    outbox.acknowledge();
    outbox.flush(connection);
    connection.take();
    outbox.drained();
    assert.deepEqual([told, outbox.stories()], [[], [7, 9]]);
    outbox.ack(2);
    assert.deepEqual([told, outbox.stories()], [[7], [9]]);
    outbox.disconnected(connection);
    outbox.flush(new FakeConnection());
    outbox.ack(3);
    assert.deepEqual([told, outbox.stories()], [[7, 9], []]);
  });

  it('tells nothing of those that go elsewhere', () => {
    const { outbox, told } = filled();
    assert.equal([...outbox.leave()].length, 3);
    assert.deepEqual([told, outbox.stories()], [[], []]);
  });
});

describe('Outbox: what waits for a commit', () => {
  const FILLER = '<nothing/>';

  /** Two that belong to a unit between two that do not, to a client that acknowledges. */
  function started(): { trial: Trial; unit: Unit } {
    const trial = new Trial();
    trial.outbox.acknowledge();
    const unit = new Unit();
    unit.added();
    trial.push('<a/>');
    for (const wire of ['<b/>', '<c/>']) trial.outbox.push(wire, 1, undefined, false, undefined, 0, unit, true);
    trial.push('<d/>');
    return { trial, unit };
  }

  it('is not written before that, nor what came behind it', () => {
    const { trial, unit } = started();
    trial.flush();
    assert.equal(trial.connection.said(), '<a/>');
    assert.equal(trial.outbox.isOpen, false);
    unit.settle();
    assert.equal(trial.outbox.isOpen, true);
    trial.flush();
    assert.equal(trial.connection.said(), '<b/><c/><d/>');
    assert.ok(trial.outbox.ack(4));
  });

  it('is withdrawn where that fails, and its numbers stay taken', () => {
    const { trial, unit } = started();
    unit.settle('away');
    trial.outbox.withdraw(unit, FILLER);
    trial.flush();
    assert.equal(trial.connection.said(), `<a/>${FILLER}${FILLER}<d/>`);
    assert.equal(trial.outbox.bytes, 8 + 2 * FILLER.length);
    assert.deepEqual([...trial.outbox.kept()], []);
    assert.ok(trial.outbox.ack(4));
    assert.equal(trial.outbox.bytes, 0);
  });

  it('to a client that does not acknowledge nothing is sent instead', () => {
    const trial = new Trial();
    const unit = new Unit();
    unit.added();
    trial.outbox.push('<a/>', 1, undefined, false, undefined, 0, unit);
    trial.push('<b/>');
    unit.settle('away');
    trial.outbox.withdraw(unit, FILLER);
    trial.flush();
    assert.equal(trial.connection.said(), '<b/>');
  });

  it('what was to be noted and could not be is sent all the same, and its sender waits for the client', async () => {
    const { trial, unit } = started();
    assert.ok(trial.outbox.unkept(unit));
    unit.settle('away');
    trial.flush();
    assert.equal(trial.connection.said(), '<a/><b/><c/><d/>');
    let safe = false;
    const waiting = unit.further!.then(() => (safe = true));
    trial.outbox.ack(2);
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(safe, false);
    trial.outbox.ack(3);
    await waiting;
  });

  it('the journal is told of what is committed, with its numbers', () => {
    const { trial, unit } = started();
    assert.deepEqual([...trial.outbox.kept()], []);
    unit.settle();
    assert.deepEqual(
      [...trial.outbox.kept()].map(({ number, wire }) => `${number}${wire}`),
      ['2<b/>', '3<c/>'],
    );
    trial.flush();
    trial.outbox.ack(2);
    assert.deepEqual(
      [...trial.outbox.kept()].map(({ number }) => number),
      [3],
    );
  });
});

describe('Outbox: what came back from the journal', () => {
  function restored(): Trial {
    const trial = new Trial(4);
    trial.outbox.restore([
      { number: 5, since: 1, wire: '<a/>' },
      { number: 8, since: 2, wire: '<b/>' },
      { number: 11, since: 3, wire: '<c/>' },
    ]);
    return trial;
  }

  it('is numbered anew behind what the client has, which may be more than was noted', () => {
    for (const [h, left] of [
      [4, '<a/><b/><c/>'],
      [7, '<b/><c/>'],
      [8, '<c/>'],
      [20, ''],
    ] as const) {
      const trial = restored();
      trial.push('<d/>');
      const unit = new Unit();
      unit.added();
      assert.ok(trial.outbox.resumeAt(h, unit));
      assert.equal(trial.flush(), false);
      assert.deepEqual(
        [...trial.outbox.kept(unit)].map(({ number }) => number),
        Array.from({ length: left.length / 4 }, (_, i) => h + 1 + i),
      );
      unit.settle();
      trial.flush();
      assert.equal(trial.connection.said(), `${left}<d/>`);
      assert.ok(trial.outbox.ack(h + left.length / 4 + 1));
      assert.equal(trial.outbox.size, 0);
    }
  });

  it('is not given to a client that has less than it acknowledged', () => {
    const trial = restored();
    assert.equal(trial.outbox.resumeAt(3, new Unit()), false);
  });

  it('goes elsewhere under its numbers; what came since has none', () => {
    const trial = restored();
    trial.outbox.push('<d/>', 1, undefined, false, undefined, 0, undefined, true);
    assert.deepEqual(
      [...trial.outbox.leave()].map(({ number }) => number),
      [5, 8, 11, 0],
    );
  });
});
