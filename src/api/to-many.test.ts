import assert from 'node:assert/strict';
import { Packet } from '../bus/index.ts';
import { parseJid } from '../jid/index.ts';
import { currentUnit, inUnit, Unit } from '../util/unit.ts';
import { AT_ONCE, sendToMany } from './to-many.ts';

describe('a message to very many', () => {
  const message = Packet.fromWire("<message type='groupchat'/>", parseJid('coven@rooms.example')!, undefined);
  const many = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
  /** A node whose units are closed at once, unless one is under way. */
  const node = {
    together: <T>(_: Packet, work: () => T): T => {
      if (currentUnit()) return work();
      const unit = new Unit();
      try {
        return inUnit(unit, work);
      } finally {
        unit.close();
      }
    },
  };

  it('goes to all at once where they are not so many', () => {
    const sent: number[] = [];
    assert.equal(
      sendToMany(node, message, many(AT_ONCE), to => void sent.push(to)),
      undefined,
    );
    assert.deepEqual(sent, many(AT_ONCE));
  });

  it('goes to the first with its unit, and to the rest, in order, when that is committed, with turns for others', async () => {
    const sent: number[] = [];
    const unit = new Unit();
    unit.added();
    const step = inUnit(unit, () => sendToMany(node, message, many(10_000), to => void sent.push(to)));
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(sent.length, AT_ONCE);
    /** What was sent when others had their turns. */
    const turns: number[] = [];
    let going = true;
    const turn = (): void => {
      if (turns.at(-1) !== sent.length) turns.push(sent.length);
      if (going) setImmediate(turn);
    };
    setImmediate(turn);
    unit.settle();
    await step;
    going = false;
    assert.deepEqual(sent, many(10_000));
    const portions = turns.map((count, at) => count - (turns[at - 1] ?? AT_ONCE));
    assert.ok(portions.length >= 15 && portions.every(portion => portion <= 500), portions.join(' '));
  });

  it('goes to nobody else when its unit fails', async () => {
    const sent: number[] = [];
    const unit = new Unit();
    unit.added();
    const step = inUnit(unit, () => sendToMany(node, message, many(3000), to => void sent.push(to)));
    unit.settle(new Error('full'));
    await step;
    assert.equal(sent.length, AT_ONCE);
  });
});
