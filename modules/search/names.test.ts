import assert from 'node:assert/strict';
import { type Element, xml } from '../../src/xml/index.ts';
import { namesOf } from './names.ts';

const card = (fields: Record<string, string>, n: Record<string, string> = {}): Element =>
  xml(
    'vCard',
    { xmlns: 'vcard-temp' },
    xml('N', {}, ...Object.entries(n).map(([name, text]) => xml(name, {}, text))),
    ...Object.entries(fields).map(([name, text]) => xml(name, {}, text)),
  );

describe('what somebody is called', () => {
  it('is nothing where nothing is said', () => {
    const nothing = { nick: '', first: '', last: '', all: [] };
    assert.deepEqual(namesOf(undefined, undefined), nothing);
    assert.deepEqual(namesOf(card({}), ''), nothing);
    assert.deepEqual(namesOf(card({ FN: '🌹', NICKNAME: ' , ' }), ' ').all, []);
  });

  it('is shown by what was published, then a nickname of the card, then the full name', () => {
    const full = { FN: 'Juliet Capulet', NICKNAME: 'Juli, Jule' };
    const n = { GIVEN: 'Juliet', FAMILY: 'Capulet' };
    assert.equal(namesOf(card(full, n), 'Lady').nick, 'Lady');
    assert.equal(namesOf(card(full, n), undefined).nick, 'Juli');
    assert.equal(namesOf(card({ FN: 'Juliet Capulet' }, n), undefined).nick, 'Juliet Capulet');
    assert.deepEqual(namesOf(card(full, n), 'Lady').all, ['lady', 'juli', 'jule', 'juliet capulet', 'capulet juliet']);
  });

  it('is searched with the family name before the given one and behind it, each once', () => {
    assert.deepEqual(namesOf(card({ FN: '王小明' }, { GIVEN: '小明', FAMILY: '王' }), '王 小明').all, [
      '王小明',
      '小明王',
    ]);
  });

  it('is bounded, whatever a card holds, and keeps characters whole', () => {
    const many = namesOf(card({ NICKNAME: Array.from({ length: 40_000 }, (_, i) => `n${i}`).join(',') }), 'Lady');
    assert.equal(many.all.length, 10);
    const long = namesOf(card({ FN: `x${'𠮷'.repeat(60_000)}` }), undefined);
    assert(long.nick.length <= 200 && long.nick.isWellFormed());
    assert.equal(namesOf(card({ FN: ' a\n\tb\u0007c ' }), undefined).nick, 'a b c');
  });
});
