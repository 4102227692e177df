import assert from 'node:assert/strict';
import { ackRecord, handledRecord, leftRecord, overRecord, sentRecord, stateRecord } from '../../session/journal.ts';
import type { FormerSession } from '../../session/state.ts';
import { toWire } from '../../xml/index.ts';
import { Replay } from './replay.ts';

function state(jid: string, more: object = {}): string {
  return toWire(JSON.stringify({ jid, resumption: 'x', since: 1, timeout: 60, acks: 0, h: 0, kept: {}, ...more }));
}

function replayed(...data: string[]): FormerSession[] {
  const replay = new Replay();
  for (const piece of data) replay.add(piece);
  return replay.result();
}

const numbers = ({ items }: FormerSession): string => items.map(({ number, wire }) => `${number}${wire}`).join(' ');

describe('the journal of sessions', () => {
  const romeo = state('romeo@localhost/orchard');

  it('has what was sent and not acknowledged, in order, and what was handled', () => {
    const [session] = replayed(
      stateRecord('s1', romeo, true),
      sentRecord('s1', 1, 10, '<a/>'),
      sentRecord('s1', 3, 11, '<b/>\nA s1 9\n'),
      sentRecord('s1', 4, 12, '<c/>'),
      ackRecord('s1', 2),
      handledRecord('s1', 7),
    );
    assert.equal(numbers(session!), '3<b/>\nA s1 9\n 4<c/>');
    assert.deepEqual([session!.state.acks, session!.state.h, session!.items[0]!.since], [2, 7, 11]);
    assert.equal(session!.jid.full, 'romeo@localhost/orchard');
  });

  it('is read wherever it was cut into rows', () => {
    const text =
      stateRecord('s1', state('roméo@localhost/ô'), true) +
      sentRecord('s1', 1, 10, '<a>\n</a>') +
      handledRecord('s1', 12) +
      sentRecord('s1', 2, 10, '<b/>');
    for (let cut = 1; cut < text.length; cut++) {
      const [session] = replayed(text.slice(0, cut), text.slice(cut));
      assert.equal(numbers(session!), '1<a>\n</a> 2<b/>');
      assert.equal(session!.jid.full, 'roméo@localhost/ô');
    }
  });

  it('has what a room sent to many, whose content is written once', () => {
    const content = (to: string, rest = ` id='1'><body>a to='b'</body></message>`): string =>
      `<message from='r@x/n' to='${to}' type='groupchat'${rest}`;
    const wires = [
      content('a@x'),
      content('bb@x/r'),
      content('a@x'),
      content('c@x', '/>'),
      content('d@x', '/>'),
      `<message type='groupchat'/>`,
    ];
    const ids = ['s1', 's2', 'unknown', 's1', 's2', 's1'];
    let text = stateRecord('s1', romeo, true) + stateRecord('s2', romeo, true);
    wires.forEach((wire, i) => {
      const record = sentRecord(ids[i]!, i + 1, 10, wire, wires[i - 1]);
      assert.equal(record.startsWith('P'), i === 1 || i === 2 || i === 4, record);
      text += record;
    });
    for (let cut = 1; cut < text.length; cut++) {
      const [one, two] = replayed(text.slice(0, cut), text.slice(cut));
      assert.deepEqual(
        one!.items.map(item => item.wire),
        [wires[0], wires[3], wires[5]],
      );
      assert.deepEqual(
        two!.items.map(item => item.wire),
        [wires[1], wires[4]],
      );
    }
  });

  it('a half record at the end is none', () => {
    const [session] = replayed(stateRecord('s1', romeo, true) + sentRecord('s1', 1, 1, '<a/>').slice(0, -1));
    assert.equal(numbers(session!), '');
  });

  it('numbers go round at 2^32', () => {
    const [session] = replayed(
      stateRecord('s1', romeo, true),
      sentRecord('s1', 0xffffffff, 1, '<a/>'),
      sentRecord('s1', 1, 1, '<b/>'),
      ackRecord('s1', 0xffffffff),
    );
    assert.equal(numbers(session!), '1<b/>');
  });

  it('what a session left, and sessions that are over, are gone', () => {
    const sessions = replayed(
      stateRecord('s1', romeo, true),
      stateRecord('s2', state('juliet@localhost/b', { since: 0 }), true),
      stateRecord('s3', romeo, true),
      sentRecord('s2', 1, 1, '<a/>'),
      sentRecord('s2', 2, 1, '<b/>'),
      leftRecord('s2', 1),
      overRecord('s1'),
    );
    assert.deepEqual(
      sessions.map(({ id }) => id),
      ['s2', 's3'],
    );
    assert.equal(numbers(sessions[0]!), '2<b/>');
  });

  it('one that is noted whole is nothing of what it was; a change of state takes nothing from it', () => {
    const [session] = replayed(
      stateRecord('s1', romeo, true),
      sentRecord('s1', 1, 1, '<a/>'),
      sentRecord('s1', 0, 1, '<later/>'),
      stateRecord('s1', state('romeo@localhost/orchard', { h: 3 }), true),
      sentRecord('s1', 5, 1, '<b/>'),
      stateRecord('s1', state('romeo@localhost/orchard', { h: 4, priority: 1 }), false),
    );
    assert.equal(numbers(session!), '5<b/>');
    assert.deepEqual([session!.state.h, session!.state.priority], [4, 1]);
  });

  it('of sessions that it does not know it says nothing', () => {
    assert.deepEqual(replayed(sentRecord('s9', 1, 1, '<a/>') + handledRecord('s9', 1)), []);
  });

  it('something else is refused', () => {
    assert.throws(() => replayed(stateRecord('s1', romeo, true) + 'Z s1 1\n'), /no record/);
  });
});
