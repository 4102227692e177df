import assert from 'node:assert/strict';
import { jid } from '../../test/kit/wire.ts';
import { Notes, type Subject } from './notes.ts';

const subject: Subject = {
  from: jid('romeo@localhost/orchard'),
  to: jid('juliet@localhost'),
  mark: 1,
  origin: 0,
  says: 0,
  refers: 0,
};

describe('notes of what became of messages', () => {
  it('keep the steps of each message, in order, with who it was', () => {
    const notes = new Notes(10);
    const [a, b] = [notes.begin(subject), notes.begin({ ...subject, mark: 2 }, 'id2')];
    notes.note(a, 'accepted');
    notes.note(b, 'accepted');
    notes.note(a, 'routed', jid('juliet@localhost/balcony'), 'id1');
    notes.note(a, 'refused', 'forbidden');
    assert.deepEqual(
      notes.eventsOf(new Set([a])).map(({ step, by }) => [step, by]),
      [
        ['accepted', undefined],
        ['routed', 'juliet@localhost/balcony'],
        ['refused', 'forbidden'],
      ],
    );
    assert.deepEqual(
      [...notes.stories()].map(({ number, id, mark }) => [number, id, mark]),
      [
        [a, 'id1', 1],
        [b, 'id2', 2],
      ],
    );
    assert.equal(notes.full, false);
  });

  it('are of the last messages: what happens to earlier ones is nobody’s', () => {
    const notes = new Notes(4);
    const numbers = Array.from({ length: 11 }, (_, i) => notes.begin({ ...subject, mark: i }, `id${i}`));
    for (const number of numbers) notes.note(number, 'accepted', undefined, `late${number}`);
    assert.deepEqual(
      [...notes.stories()].map(({ number, mark }) => [number, mark]),
      [7, 8, 9, 10].map(i => [numbers[i], i]),
    );
    assert.equal(notes.eventsOf(new Set(numbers)).length, 4);
    assert.equal(notes.full, true);
  });

  it('of very many steps are the last ones', () => {
    const notes = new Notes(4);
    const a = notes.begin(subject);
    for (let i = 0; i < 100; i++) notes.note(a, 'resumed');
    assert.equal(notes.eventsOf(new Set([a])).length, 20);
  });

  it('of an earlier run are not taken for those of this one', () => {
    const notes = new Notes(10, 1000);
    const [old] = [new Notes(10, 500).begin(subject)];
    notes.begin(subject);
    notes.note(old, 'accepted');
    assert.deepEqual(notes.eventsOf(new Set([old])), []);
  });
});
