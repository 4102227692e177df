/** What the preparation of addresses asks of a code point, read out of the generated table. */
import { RUNS, VALUES } from './tables.ts';

/** Derived properties of RFC 8264 8. FREE is ID_DIS or FREE_PVAL: allowed in the FreeformClass only. */
export const UNASSIGNED = 0;
export const DISALLOWED = 1;
export const FREE = 2;
export const PVALID = 3;
export const CONTEXTJ = 4;
export const CONTEXTO = 5;

/** Bidi classes as far as RFC 5893 2 tells them apart; RTL is R or AL, NEUTRAL is ES, CS, ET, ON or BN. */
export const LTR = 1;
export const RTL = 2;
export const ARABIC_NUMBER = 3;
export const EUROPEAN_NUMBER = 4;
export const NONSPACING_MARK = 5;
export const NEUTRAL = 6;

/** Joining types (RFC 5892 A.1); 0 is non-joining or join-causing. */
export const DUAL_JOINING = 1;
export const LEFT_JOINING = 2;
export const RIGHT_JOINING = 3;
export const TRANSPARENT = 4;

const starts: number[] = [];
const values: number[] = [];
let next = 0;
for (const [, length, letter] of RUNS.matchAll(/(\d+)([A-Za-z])/g)) {
  const code = letter!.charCodeAt(0);
  starts.push(next);
  values.push(VALUES[code < 0x60 ? code - 0x41 : code - 0x61 + 26]!);
  next += Number(length);
}
const firsts = Uint32Array.from(starts);
const bits = Uint16Array.from(values);

function valueOf(codePoint: number): number {
  let low = 0;
  let high = firsts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (firsts[middle]! <= codePoint) low = middle;
    else high = middle - 1;
  }
  return bits[low]!;
}

export function derivedProperty(codePoint: number): number {
  return valueOf(codePoint) & 7;
}

export function bidiClass(codePoint: number): number {
  return (valueOf(codePoint) >> 3) & 7;
}

export function joiningType(codePoint: number): number {
  return (valueOf(codePoint) >> 6) & 7;
}

/** Canonical_Combining_Class = Virama */
export function isVirama(codePoint: number): boolean {
  return (valueOf(codePoint) & (1 << 9)) !== 0;
}

/** The code points of a well-formed string. */
export function codePoints(text: string): number[] {
  const points: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text.codePointAt(i)!;
    if (c > 0xffff) i++;
    points.push(c);
  }
  return points;
}

/** 'U+00B7', and the character itself where it can be shown without disturbing the line it stands in. */
export function describe(codePoint: number): string {
  const name = `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
  const text = String.fromCodePoint(codePoint);
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(text) ? `'${text}' (${name})` : name;
}
