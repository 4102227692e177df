/*
 * How names are compared: two that people would take for the same, or type for each other, are folded to the same text. What is not folded: readings
 * (pinyin, romaji) and initial consonants of Hangul.
 */
import { SIMPLIFIED, TRADITIONAL } from './han.ts';

/** Changed with every change below: what was folded otherwise is folded again (gathering.ts). */
export const FOLD = 2;

/** Letters that no decomposition of Unicode makes plain. */
const PLAIN: Readonly<Record<string, string>> = {
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ŧ: 't',
  ŋ: 'n',
  ı: 'i',
  ĸ: 'k',
  ς: 'σ',
};
const SPECIAL = new RegExp(`[${Object.keys(PLAIN).join('')}]`, 'g');
/** Accents: the combining diacritical marks. Marks of other scripts (voiced kana, vowels of India) make other letters. */
const ACCENTS = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]/g;
/** What is not seen: joiners, directions, variants of a character (also of an ideograph). */
const UNSEEN = /[\p{Cf}\u034f\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;
/** Katakana that have a hiragana, and their iteration marks. */
const KATAKANA = /[\u30a1-\u30f6\u30fd\u30fe]/g;
const TO_HIRAGANA = 0x60;
/** Traditional ideographs as the simplified ones: 陳 is 陈. */
const HAN = /[\u4e00-\u9fff]/g;
const SIMPLE = new Map([...TRADITIONAL].map((character, i) => [character, SIMPLIFIED[i]!]));
/** Everything that is no letter, digit or mark parts words. */
const APART = /[^\p{L}\p{N}\p{M}]+/gu;
/** Scripts that are written without spaces: those between their characters count for nothing. */
const CJK = String.raw`[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Bopo}]`;
const BETWEEN_CJK = new RegExp(`(?<=${CJK}) (?=${CJK})`, 'gu');

/**
 * A name as it is compared: without regard to case, width, accents, which kana, and which form of an ideograph; words with one space between them. '' where nothing is
 * left: of a name of emoji alone.
 */
export function fold(text: string): string {
  // what is plain already is most of what there is
  if (/^[a-z0-9]+$/.test(text)) return text;
  return (
    text
      .normalize('NFKC')
      .replace(UNSEEN, '')
      // twice: 'ß' has only a large form of two letters, 'ẞ' only a small one
      .toLowerCase()
      .toUpperCase()
      .toLowerCase()
      .normalize('NFD')
      .replace(ACCENTS, '')
      .normalize('NFKC')
      .replace(SPECIAL, letter => PLAIN[letter]!)
      .replace(KATAKANA, kana => String.fromCharCode(kana.charCodeAt(0) - TO_HIRAGANA))
      .replace(HAN, character => SIMPLE.get(character) ?? character)
      .replace(APART, ' ')
      .trim()
      .replace(BETWEEN_CJK, '')
  );
}

/** The words of a folded text. */
export function wordsOf(folded: string): string[] {
  return folded === '' ? [] : [...new Set(folded.split(' '))];
}

/** Characters, not UTF-16's halves of them. */
export function lengthOf(text: string): number {
  return [...text].length;
}
