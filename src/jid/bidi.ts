/** The Bidi Rule of RFC 5893 2. */
import { ARABIC_NUMBER, EUROPEAN_NUMBER, LTR, NEUTRAL, NONSPACING_MARK, RTL, bidiClass } from './unicode.ts';

/** Whether a string without right-to-left code points, or one that satisfies the six conditions. */
export function bidiAllows(points: readonly number[]): boolean {
  const classes = points.map(bidiClass);
  if (!classes.some(c => c === RTL || c === ARABIC_NUMBER)) return true;

  // 1 and 5: it begins right to left, for one that begins left to right holds no RTL or ARABIC_NUMBER
  if (classes[0] !== RTL) return false;
  // 2
  if (classes.some(c => c === LTR || c === 0)) return false;
  // 3
  const end = classes.findLast(c => c !== NONSPACING_MARK);
  if (end === NEUTRAL) return false;
  // 4
  return !(classes.includes(EUROPEAN_NUMBER) && classes.includes(ARABIC_NUMBER));
}
