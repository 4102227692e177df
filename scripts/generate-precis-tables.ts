/**
 * Writes src/jid/tables.ts: for every Unicode code point the derived property of RFC 8264 8, the bidi class as far as
 * RFC 5893 2 asks for it, the joining type and whether it is a virama (RFC 5892 A.1, A.2).
 *
 *     node scripts/generate-precis-tables.ts
 *
 * A table and not property escapes at run time, so that servers on different versions of Node agree on what is an
 * address. Categories come from the Unicode of the Node that runs this; bidi classes, joining types and viramas, which
 * JavaScript does not tell, come from the expressions that tr46 is made of.
 */
import { writeFileSync } from 'node:fs';
import regexes from 'tr46/lib/regexes.js';

// The numbers are those of src/jid/unicode.ts.
const [UNASSIGNED, DISALLOWED, FREE, PVALID, CONTEXTJ, CONTEXTO] = [0, 1, 2, 3, 4, 5];
const [LTR, RTL, AN, EN, NSM, NEUTRAL] = [1, 2, 3, 4, 5, 6];
const [DUAL, LEFT, RIGHT, TRANSPARENT] = [1, 2, 3, 4];

// RFC 5892 2.6, to which RFC 8264 9.6 refers
const EXCEPTIONS = new Map<number, number>([
  ...[0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007].map(c => [c, PVALID] as [number, number]),
  ...[0xb7, 0x375, 0x5f3, 0x5f4, 0x30fb].map(c => [c, CONTEXTO] as [number, number]),
  ...Array.from({ length: 10 }, (_, i) => [0x660 + i, CONTEXTO] as [number, number]),
  ...Array.from({ length: 10 }, (_, i) => [0x6f0 + i, CONTEXTO] as [number, number]),
  ...[0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b].map(
    c => [c, DISALLOWED] as [number, number],
  ),
]);

const inRanges = (c: number, ranges: number[][]) => ranges.some(([from, to]) => c >= from! && c <= to!);
// Hangul_Syllable_Type L, V or T (RFC 5892 2.9)
const OLD_HANGUL_JAMO = [
  [0x1100, 0x11ff],
  [0xa960, 0xa97c],
  [0xd7b0, 0xd7c6],
  [0xd7cb, 0xd7fb],
];

/** RFC 8264 8, in its order. */
function derived(c: number, ch: string): number {
  const exception = EXCEPTIONS.get(c);
  if (exception !== undefined) return exception;
  if (/\p{Cn}/u.test(ch) && !/\p{Noncharacter_Code_Point}/u.test(ch)) return UNASSIGNED;
  if (c >= 0x21 && c <= 0x7e) return PVALID; // ASCII7
  if (/\p{Join_Control}/u.test(ch)) return CONTEXTJ;
  if (inRanges(c, OLD_HANGUL_JAMO)) return DISALLOWED;
  if (/[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u.test(ch)) return DISALLOWED;
  if (/\p{Cc}/u.test(ch)) return DISALLOWED;
  if (ch.normalize('NFKC') !== ch) return FREE; // HasCompat
  if (/[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u.test(ch)) return PVALID; // LetterDigits
  if (/[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]/u.test(ch)) return FREE;
  return DISALLOWED;
}

function bidi(ch: string): number {
  if (regexes.bidiS1LTR.test(ch)) return LTR;
  if (regexes.bidiS1RTL.test(ch)) return RTL;
  if (regexes.bidiS4AN.test(ch)) return AN;
  if (regexes.bidiS4EN.test(ch)) return EN;
  if (regexes.bidiS6.test('a' + ch)) return NSM; // what may follow the last strong character
  return regexes.bidiS5.test(ch) ? NEUTRAL : 0; // ES, CS, ET, ON, BN
}

/** Joining types from the expression (L|D) T* ZWNJ T* (R|D), each place probed beside known dual-joining beh. */
function joining(ch: string): number {
  const left = regexes.validZWNJ.test(`${ch}\u200c\u0628`);
  const right = regexes.validZWNJ.test(`\u0628\u200c${ch}`);
  if (left) return right ? DUAL : LEFT;
  if (right) return RIGHT;
  return regexes.validZWNJ.test(`\u0628${ch}\u200c\u0628`) ? TRANSPARENT : 0;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const values: number[] = [];
const runs: string[] = [];
let last = -1;
let start = 0;
for (let c = 0; c <= 0x110000; c++) {
  let value = -1;
  if (c < 0x110000) {
    const ch = String.fromCodePoint(c);
    const surrogate = c >= 0xd800 && c <= 0xdfff;
    value = surrogate
      ? DISALLOWED
      : derived(c, ch) | (bidi(ch) << 3) | (joining(ch) << 6) | (regexes.combiningClassVirama.test(ch) ? 1 << 9 : 0);
  }
  if (value === last) continue;
  if (last !== -1) {
    if (!values.includes(last)) values.push(last);
    runs.push(`${c - start}${LETTERS[values.indexOf(last)]}`);
  }
  last = value;
  start = c;
}
if (values.length > LETTERS.length) throw new Error('more values than letters');

const lines = runs.join('').match(/.{1,110}/g) ?? [];
writeFileSync(
  new URL('../src/jid/tables.ts', import.meta.url),
  `// Written by scripts/generate-precis-tables.ts; do not edit.

/** The version of Unicode that the tables are derived from. */
export const UNICODE_VERSION = '${process.versions.unicode}';

/** What the letters in RUNS stand for, A to Z, then a to z; unicode.ts names the bits. */
export const VALUES = [${values.join(', ')}];

/** Runs of code points from U+0000 on: how many, then the letter of their value. */
export const RUNS =
${lines.map(line => `  '${line}'`).join(' +\n')};
`,
);
console.log(`${runs.length} runs, ${values.length} values, Unicode ${process.versions.unicode}`);
