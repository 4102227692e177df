/** The contextual rules of RFC 5892 Appendix A, for code points that are allowed beside certain others only. */
import { DUAL_JOINING, LEFT_JOINING, RIGHT_JOINING, TRANSPARENT, isVirama, joiningType } from './unicode.ts';

const GREEK = /^\p{Script=Greek}$/u;
const HEBREW = /^\p{Script=Hebrew}$/u;
const JAPANESE = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u;

const isOf = (script: RegExp, codePoint: number | undefined) =>
  codePoint !== undefined && script.test(String.fromCodePoint(codePoint));

/** Whether points[i], which is CONTEXTJ or CONTEXTO, may stand where it stands in a label or string. */
export function contextAllows(points: readonly number[], i: number): boolean {
  const c = points[i]!;
  switch (c) {
    case 0x200c: // A.1 ZERO WIDTH NON-JOINER
      return afterVirama(points, i) || betweenJoining(points, i);
    case 0x200d: // A.2 ZERO WIDTH JOINER
      return afterVirama(points, i);
    case 0xb7: // A.3 MIDDLE DOT, as in Catalan
      return points[i - 1] === 0x6c && points[i + 1] === 0x6c;
    case 0x375: // A.4 GREEK LOWER NUMERAL SIGN
      return isOf(GREEK, points[i + 1]);
    case 0x5f3: // A.5 HEBREW PUNCTUATION GERESH
    case 0x5f4: // A.6 HEBREW PUNCTUATION GERSHAYIM
      return isOf(HEBREW, points[i - 1]);
    case 0x30fb: // A.7 KATAKANA MIDDLE DOT
      return points.some(point => isOf(JAPANESE, point));
  }
  // A.8 ARABIC-INDIC DIGITS, A.9 EXTENDED ARABIC-INDIC DIGITS: not both
  if (c >= 0x660 && c <= 0x669) return !points.some(point => point >= 0x6f0 && point <= 0x6f9);
  if (c >= 0x6f0 && c <= 0x6f9) return !points.some(point => point >= 0x660 && point <= 0x669);
  return false;
}

function afterVirama(points: readonly number[], i: number): boolean {
  return i > 0 && isVirama(points[i - 1]!);
}

/** (Joining_Type:{L,D}) (Joining_Type:T)* ZWNJ (Joining_Type:T)* (Joining_Type:{R,D}) */
function betweenJoining(points: readonly number[], i: number): boolean {
  let before = i - 1;
  while (before >= 0 && joiningType(points[before]!) === TRANSPARENT) before--;
  let after = i + 1;
  while (after < points.length && joiningType(points[after]!) === TRANSPARENT) after++;
  if (before < 0 || after >= points.length) return false;
  const left = joiningType(points[before]!);
  const right = joiningType(points[after]!);
  return (left === LEFT_JOINING || left === DUAL_JOINING) && (right === RIGHT_JOINING || right === DUAL_JOINING);
}
