import assert from 'node:assert/strict';
import { fold, lengthOf, wordsOf } from './fold.ts';
import { termsOf } from './terms.ts';

/** What people would take for the same. */
const SAME: [what: string, ...texts: string[]][] = [
  ['case', 'Romeo', 'ROMEO', 'romeo'],
  ['full and half width', 'Ｒｏｍｅｏ', 'Romeo'],
  ['accents', 'José Müller', 'jose muller', 'Jose\u0301 Mu\u0308ller'],
  ['letters that are no accents', 'Søren Łukasz Đorđe', 'soren lukasz dorde'],
  ['ß', 'Strauß', 'STRAUSS', 'strauß', 'STRAUẞ'],
  ['sigma', 'Οδυσσέας', 'ΟΔΥΣΣΕΑΣ', 'οδυσσεας'],
  ['dotless i', 'Işık', 'isik', 'IŞIK'],
  ['ё and й', 'Алёна', 'алена'],
  ['katakana and hiragana', 'さくら', 'サクラ', 'ｻｸﾗ'],
  ['voiced half-width kana', 'ガブリエル', 'ｶﾞﾌﾞﾘｴﾙ', 'がぶりえる'],
  ['long vowels of both kana', 'たろー', 'タロー', 'ﾀﾛｰ'],
  ['ideographs of compatibility', '\ufa19', '\u795e'],
  ['traditional and simplified ideographs', '陳小龍', '陈小龙'],
  ['several forms of one', '頭髮', '头发', '頭發'],
  ['variants of an ideograph', '\u845b\u{e0100}', '\u845b'],
  ['Hangul in one and in pieces', '김민수', '\u1100\u1175\u11b7\u1106\u1175\u11ab\u1109\u116e'],
  ['spaces between ideographs', '王 小明', '王小明', '王　小明'],
  ['spaces between words', ' wei   chen ', 'wei chen', 'wei-chen', 'wei.chen'],
  ['middle dots', 'ジャン・ポール', 'じゃんぽーる'],
  ['what is not seen', 'ro\u200bmeo', 'romeo'],
  ['emoji beside a name', '🌹 Juliet 🌹', 'juliet'],
  ['ligatures', 'ﬁona', 'fiona'],
];

describe('names are folded', () => {
  for (const [what, ...texts] of SAME) {
    it(what, () => {
      assert.notEqual(fold(texts[0]!), '');
      assert.equal(new Set(texts.map(fold)).size, 1, JSON.stringify(texts.map(fold)));
    });
  }

  it('others stay others', () => {
    for (const [one, other] of [
      ['か', 'が'],
      ['は', 'ぱ'],
      ['王', '玉'],
      ['김', '이'],
      ['कि', 'की'],
      ['anne', 'ann'],
      ['ab', 'a b'],
    ])
      assert.notEqual(fold(one!), fold(other!), `${one} ${other}`);
  });

  it('twice is as once; nothing is left of what has no letters', () => {
    for (const [, ...texts] of SAME) for (const text of texts) assert.equal(fold(fold(text)), fold(text));
    for (const text of ['', ' ', '🌹', '—', '\u200b', '\ud83c']) assert.equal(fold(text), '');
  });

  it('words, and characters beyond the BMP', () => {
    assert.deepEqual(wordsOf(fold('Wei Chen, Wei')), ['wei', 'chen']);
    assert.deepEqual(wordsOf(''), []);
    assert.equal(lengthOf('𠮷野'), 2);
  });
});

describe('terms of names', () => {
  const list = (...names: string[]) => termsOf(names).map(({ rank, text }) => `${rank} ${text}`);

  it('are names, words, and what words end in', () => {
    assert.deepEqual(list('Wei Chen'), [
      'name wei chen',
      'word wei',
      'word chen',
      'inside ei',
      'inside hen',
      'inside en',
    ]);
    assert.deepEqual(list('王小明'), ['name 王小明', 'inside 小明']);
    assert.deepEqual(list('𠮷野家'), ['name 𠮷野家', 'inside 野家']);
    assert.deepEqual(list('김민수'), ['name 김민수', 'inside 민수']);
    assert.deepEqual(list('龍'), ['name 龙']);
  });

  it('stand there once, under the best rank; nothing is no term', () => {
    assert.deepEqual(list('Anan', 'an', 'ANAN', ''), ['name anan', 'name an', 'inside nan']);
    assert.deepEqual(list('', '🌹'), []);
  });

  it('of parts of names are those of words', () => {
    assert.deepEqual(
      termsOf(['王小明', 'Wei'], ['小明', '王', 'Wei']).map(({ rank, text }) => `${rank} ${text}`),
      ['name 王小明', 'name wei', 'word 小明', 'word 王', 'inside ei'],
    );
  });

  it('are bounded in length and number', () => {
    const long = termsOf(['x'.repeat(1000), Array.from({ length: 500 }, (_, i) => `w${i}`).join(' ')]);
    assert.equal(long.length, 200);
    assert(long.every(({ text }) => text.length <= 24 && text === text.trim()));
  });
});
