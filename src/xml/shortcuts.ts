import * as bytes from './classes.ts';
import type { XmlLimits } from './fault.ts';
import type { Progress } from './progress.ts';

/*
 * The short cuts of ordinary markup, which is all there and written as nearly everybody writes it: whole tags and runs of text at
 * once, in functions small enough to be compiled well. They decide nothing: whatever is cut by the end of a chunk, odd, or wrong
 * is left to the machine in element.ts, byte by byte.
 */

// What is imported is looked up at each use, what is the module's own is compiled into the code
const { CLASS, sameBytes, spells } = bytes;
const { HIGH, NAME_CHAR, NAME_START, TEXT_PLAIN, VALUE_PLAIN } = bytes;
const { APOS, BLANK, EQUALS, GT, LT, QUOTE, SLASH } = bytes;

/**
 * Goes on from the '<' at buf[start], through tags and text as long as they are ordinary. Returns how far it got: to the '<' of
 * another tag, to another character of a text, or behind the end of the whole element, with the depth there in the progress.
 */
export function ordinary(
  p: Progress,
  buf: Buffer,
  base: number,
  start: number,
  stop: number,
  limits: XmlLimits,
  around: number,
): number {
  const text = p.high ? TEXT_PLAIN | HIGH : TEXT_PLAIN;
  let depth = p.depth;
  let i = start;
  while (i + 1 < stop) {
    if (buf[i + 1] === SLASH) {
      const { names } = p;
      const name = names[depth * 2 - 2]!;
      const length = names[depth * 2 - 1]! - name;
      const end = i + 2 + length;
      if (end >= stop || buf[end] !== GT || !sameBytes(buf, base + name, i + 2, length)) break;
      i = end + 1;
      depth--;
      if (depth === 1) p.kidClosed(i - base);
      else if (depth === 0) break;
    } else {
      if (depth >= limits.depth || p.elements >= limits.elements) break;
      const end = ordinaryTag(p, buf, base, i + 1, stop, p.high ? VALUE_PLAIN | HIGH : VALUE_PLAIN, limits.attributes);
      if (end === 0) break;
      const empty = buf[end] === SLASH;
      const next = empty ? end + 2 : end + 1;
      if (empty && (next > stop || buf[end + 1] !== GT)) break;
      i = next;
      p.elements++;
      if (depth === 0) p.topOpened(i - base, empty);
      else if (depth === 1) p.kidOpened(buf, base, i - base, around);
      if (!empty) {
        p.descend(depth);
        depth++;
      } else if (depth === 0) break;
    }
    i = textEnd(buf, i, stop, text);
    if (i === stop || buf[i] !== LT) break;
  }
  p.depth = depth;
  return i;
}

const LONG = 256; // bytes of text behind which a view of the buffer pays

/** The position of the first byte that is not of a class, or `stop`. */
export function textEnd(buf: Buffer, start: number, stop: number, text: number): number {
  let i = start;
  const near = stop - i > LONG && (text & HIGH) === 0 ? i + LONG : stop;
  while (i < near && (CLASS[buf[i]!]! & text) !== 0) i++;
  return i < near || i === stop ? i : longTextEnd(buf, i, stop, text);
}

/**
 * The same, eight bytes at a time. In each word, the subtractions carry into the highest bit of a byte that is a control
 * character, '<' or '>' (which differ in one bit), or '&'; a byte above 0x7f has that bit itself, and is looked at alone.
 */
function longTextEnd(buf: Buffer, start: number, stop: number, text: number): number {
  const view = new DataView(buf.buffer, buf.byteOffset, stop);
  let i = start;
  while (true) {
    while (i + 8 <= stop) {
      const a = view.getInt32(i, true);
      const b = view.getInt32(i + 4, true);
      const odd =
        a |
        b |
        (a - 0x20202020) |
        (b - 0x20202020) |
        (((a | 0x02020202) ^ 0x3e3e3e3e) - 0x01010101) |
        (((b | 0x02020202) ^ 0x3e3e3e3e) - 0x01010101) |
        ((a ^ 0x26262626) - 0x01010101) |
        ((b ^ 0x26262626) - 0x01010101);
      if ((odd & 0x80808080) !== 0) break;
      i += 8;
    }
    // past the odd byte, if it may stand in text: a line end, a letter above 0x7f
    const end = i + 8 < stop ? i + 8 : stop;
    while (i < end && (CLASS[buf[i]!]! & text) !== 0) i++;
    if (i < end || i === stop) return i;
  }
}

/**
 * Reads the start tag whose name begins at buf[start] as far as its '>' or '/', and leaves its name and attributes in the
 * progress. Returns the position of that byte, or 0 for any other tag. `value` is the class of bytes that a value may hold, `most`
 * the number of attributes.
 */
function ordinaryTag(
  p: Progress,
  buf: Buffer,
  base: number,
  start: number,
  stop: number,
  value: number,
  most: number,
): number {
  if ((CLASS[buf[start]!]! & NAME_START) === 0) return 0;
  const { attrs } = p;
  const room = most * 4 < attrs.length ? most * 4 : attrs.length;
  let count = 0;
  let seen = 0;
  let xmlns = -1;
  let i = start;
  do {
    if (++i === stop) return 0;
  } while ((CLASS[buf[i]!]! & NAME_CHAR) !== 0);
  const nameEnd = i;
  let c = buf[i]!;
  while (c === BLANK) {
    const name = i + 1;
    i = name;
    while (true) {
      if (i >= stop) return 0;
      c = buf[i]!;
      if ((CLASS[c]! & NAME_CHAR) === 0) break;
      i++;
    }
    const length = i - name;
    // nothing but the blank of '<a />' is before the '/'
    if (length === 0) break;
    const from = i + 2;
    if (c !== EQUALS || from >= stop || count === room) return 0;
    const first = buf[name]!;
    const quote = buf[i + 1]!;
    if ((CLASS[first]! & NAME_START) === 0 || (quote !== APOS && quote !== QUOTE)) return 0;
    i = from;
    while (true) {
      c = buf[i]!;
      if ((CLASS[c]! & value) === 0) break;
      if (++i === stop) return 0;
    }
    if (c !== quote) return 0;
    const hash = 1 << ((length * 7 + first) & 31);
    if ((seen & hash) !== 0 && hasName(attrs, count, buf, base, name, length)) return 0;
    seen |= hash;
    if (length === 5 && spells(buf, name, 'xmlns')) {
      if (reserved(buf, from, i)) return 0;
      xmlns = count;
    }
    attrs[count] = name - base;
    attrs[count + 1] = name - base + length;
    attrs[count + 2] = from - base;
    attrs[count + 3] = i - base;
    count += 4;
    if (++i === stop) return 0;
    c = buf[i]!;
  }
  if (c !== GT && c !== SLASH) return 0;
  p.tagStart = start - base;
  p.tagEnd = nameEnd - base;
  p.attrCount = count;
  p.xmlns = xmlns;
  return i;
}

/** Whether a name is among those of the attributes. */
export function hasName(
  attrs: Int32Array,
  count: number,
  buf: Uint8Array,
  base: number,
  name: number,
  length: number,
): boolean {
  for (let k = 0; k < count; k += 4) {
    if (attrs[k + 1]! - attrs[k]! === length && sameBytes(buf, base + attrs[k]!, name, length)) return true;
  }
  return false;
}

/** Whether a namespace is as long, and begins, as one of the two that XML keeps for itself (http://www.w3.org/...). */
export function reserved(buf: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  return (length === 29 || length === 36) && spells(buf, start + 11, 'w3');
}
