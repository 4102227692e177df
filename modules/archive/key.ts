/*
 * Where a message stands in archives. A stanza id (modules/stanza-id) is ten digits of time, two of a count within the
 * millisecond, and nine that cannot be guessed. The first twelve, as one number, are its key: keys ascend as ids do, and a database
 * keeps them in eight octets. A key fits into a double until the year 2248.
 */

/** Keys of one millisecond. */
export const PER_MILLISECOND = 1024;
const KEY_DIGITS = 12;
const ID_LENGTH = 21;
/** Characters of what of an id is not in its key. */
export const TAIL_LENGTH = ID_LENGTH - KEY_DIGITS;
const DIGITS = '0123456789abcdefghijklmnopqrstuv';
const PAIRS = Array.from({ length: 1024 }, (_, i) => DIGITS[i >>> 5]! + DIGITS[i & 31]!);

/** The key of an id; undefined when it is no id of this server's. */
export function keyOf(id: string): number | undefined {
  if (id.length !== ID_LENGTH) return undefined;
  let key = 0;
  for (let i = 0; i < KEY_DIGITS; i++) {
    const c = id.charCodeAt(i);
    if (c >= 0x30 && c <= 0x39) key = key * 32 + (c - 0x30);
    else if (c >= 0x61 && c <= 0x76) key = key * 32 + (c - 0x57);
    else return undefined;
  }
  return Number.isSafeInteger(key) ? key : undefined;
}

/** What of an id is not in its key. */
export function tailOf(id: string): string {
  return id.slice(KEY_DIGITS);
}

/** The first half of the key that was written last: within a quarter of an hour it is the same. */
let half = { high: Number.NaN, text: '' };

export function idOf(key: number, tail: string): string {
  const high = Math.floor(key / 2 ** 30);
  const low = key % 2 ** 30;
  if (high !== half.high) half = { high, text: six(high) };
  return half.text + six(low) + tail;
}

function six(number: number): string {
  return PAIRS[number >>> 20]! + PAIRS[(number >>> 10) & 1023]! + PAIRS[number & 1023]!;
}

/** When the message of a key was taken in; milliseconds since 1970. */
export function timeOf(key: number): number {
  return Math.floor(key / PER_MILLISECOND);
}

/** The first key of a millisecond. */
export function firstKeyAt(time: number): number {
  return time * PER_MILLISECOND;
}

/** A number of 32 bits for a client's own id of a message, by which the message is found again; 0 for none. FNV-1a. */
export function markOf(id: string | undefined): number {
  if (id === undefined) return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash | 0 || 1;
}
