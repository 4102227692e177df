import * as bytes from './classes.ts';
import { entityText } from './escape.ts';
import type { XmlFault, XmlLimits } from './fault.ts';
import type { Progress } from './progress.ts';
import { ordinary, textEnd } from './shortcuts.ts';

/*
 * The grammar of one element, as a machine that goes on with each byte from where it stood: XML 1.0 within the bounds of RFC 6120
 * 11.1. Ordinary markup that is all there goes by short cuts, from one token to the next; whatever is cut by the end of a chunk
 * or written in another way goes byte by byte. Both ways must come to the same.
 */

// What is imported is looked up at each use, what is the module's own is compiled into the code
const { CLASS, spells } = bytes;
const { NAME_START, NAME_CHAR, TEXT_PLAIN, VALUE_PLAIN, SPACE, HIGH } = bytes;
const { AMP, APOS, BANG, BRACKET, COLON, CR, EQUALS, GT, HASH, LT, QUESTION, QUOTE, SEMICOLON, SLASH } = bytes;

export const INCOMPLETE = -1;
/** The reason is in `progress.fault`. */
export const BROKEN = -2;

// Where in the grammar the next byte stands
const TEXT = 0;
const TAG = 1; // behind '<'
const START_NAME = 2;
const IN_TAG = 3; // behind a name or an attribute value: white space, '/' or '>'
const TAG_SPACE = 4; // behind white space in a tag: an attribute may begin
const ATTR_NAME = 5;
const ATTR_EQUALS = 6; // behind an attribute's name
const ATTR_QUOTE = 7; // behind '='
const ATTR_VALUE = 8;
const EMPTY = 9; // behind '/' in a start tag
const END_NAME = 10;
const END_SPACE = 11;
const REFERENCE = 12; // behind '&'
const SECTION = 13; // behind '<!'
const CDATA = 14;

const REFERENCE_BYTES = 64; // longest character reference read: all that there are, and some zeros before them
const CDATA_OPEN = '[CDATA[';

/**
 * Goes on with the element at buf[base] as far as `to`. Returns the position behind it, INCOMPLETE or BROKEN.
 * `around` is the length of the namespace that it inherits; `headOnly` ends it with its start tag.
 */
export function advance(
  p: Progress,
  buf: Buffer,
  base: number,
  to: number,
  limits: XmlLimits,
  around: number,
  headOnly: boolean,
): number {
  const stop = to - base > limits.bytes ? base + limits.bytes : to;
  let { state, depth, mark } = p;
  let i = base + p.pos;
  // once there is a byte above 0x7f they are no exception any more
  let text = p.high ? TEXT_PLAIN | HIGH : TEXT_PLAIN;
  let value = p.high ? VALUE_PLAIN | HIGH : VALUE_PLAIN;

  scan: while (i < stop) {
    let c = buf[i]!;
    switch (state) {
      case TEXT:
        i = textEnd(buf, i, stop, text);
        if (i === stop) break scan;
        c = buf[i]!;
        if (c === LT) {
          if (!headOnly) {
            p.depth = depth;
            const at = ordinary(p, buf, base, i, stop, limits, around);
            depth = p.depth;
            if (at > i) {
              i = at;
              if (depth === 0) return i;
              break;
            }
          }
          i++;
          state = TAG;
        } else if ((CLASS[c]! & HIGH) !== 0) {
          p.high = true;
          text |= HIGH;
          value |= HIGH;
        } else if (c === AMP) {
          i++;
          const length = named(buf, i, stop);
          if (length > 0) i += length;
          else {
            state = REFERENCE;
            p.resume = TEXT;
            p.reference = i - base;
          }
        } else if (c === GT) {
          if (buf[i - 1] === BRACKET && buf[i - 2] === BRACKET) return broken(p, "']]>' may not stand in text.");
          i++;
        } else if (c === CR) {
          p.odd = true;
          i++;
        } else return broken(p, CONTROL);
        break;

      case TAG:
        if ((CLASS[c]! & (NAME_START | HIGH)) !== 0) {
          state = START_NAME;
          mark = i - base;
          p.colon = -1;
        } else if (c === SLASH) {
          i++;
          state = END_NAME;
          mark = i - base;
        } else if (c === BANG) {
          i++;
          state = SECTION;
          mark = i - base;
        } else if (c === QUESTION) return restricted(p, 'Processing instructions are not allowed (RFC 6120 11.1).');
        else return broken(p, "'<' must be followed by a name.");
        break;

      case START_NAME: {
        while ((CLASS[c]! & NAME_CHAR) !== 0) {
          if (++i === stop) break scan;
          c = buf[i]!;
        }
        if (otherName(p, c, i - base)) {
          p.odd = true;
          i++;
          break;
        }
        if (depth >= limits.depth) return excess(p, `More than ${limits.depth} levels of nesting.`);
        if (++p.elements > limits.elements) return excess(p, `More than ${limits.elements} elements in one stanza.`);
        p.openTag(mark, i - base);
        state = IN_TAG;
        break;
      }

      case IN_TAG:
        if (c === GT) {
          i++;
          if (depth === 0) {
            p.topOpened(i - base, false);
            if (headOnly) return i;
            if (p.odd && p.isRoot(buf, base)) return fail(p, 'bad-format', 'A stream has one header.');
          } else if (depth === 1) p.kidOpened(buf, base, i - base, around);
          p.descend(depth);
          depth++;
          state = TEXT;
        } else if (c === SLASH) {
          i++;
          state = EMPTY;
        } else if ((CLASS[c]! & SPACE) !== 0) {
          if (c !== 0x20) p.odd = true;
          i++;
          state = TAG_SPACE;
        } else return broken(p, 'A tag holds attributes, with white space before each.');
        break;

      case TAG_SPACE:
        if ((CLASS[c]! & (NAME_START | HIGH)) !== 0) {
          state = ATTR_NAME;
          mark = i - base;
          p.colon = -1;
        } else if (c === GT || c === SLASH) {
          state = IN_TAG;
        } else if ((CLASS[c]! & SPACE) !== 0) {
          p.odd = true;
          i++;
        } else return broken(p, 'An attribute must have a name.');
        break;

      case ATTR_NAME: {
        while ((CLASS[c]! & NAME_CHAR) !== 0) {
          if (++i === stop) break scan;
          c = buf[i]!;
        }
        const at = i - base;
        if (otherName(p, c, at)) {
          // xml:lang is the one prefixed name of ordinary stanzas
          if (c !== COLON || at - mark !== 3 || !spells(buf, i - 3, 'xml')) p.odd = true;
          i++;
          break;
        }
        if (p.colon >= 0 && (CLASS[buf[base + p.colon + 1]!]! & (NAME_START | HIGH)) === 0) {
          return broken(p, 'A name begins with a letter, behind a colon too.');
        }
        if (p.attrCount >= limits.attributes * 4) return tooMany(p, limits);
        if (!p.openAttribute(buf, base, mark, at)) return broken(p, TWICE);
        state = ATTR_EQUALS;
        break;
      }

      case ATTR_EQUALS:
        if (c === EQUALS) state = ATTR_QUOTE;
        else if ((CLASS[c]! & SPACE) !== 0) p.odd = true;
        else return broken(p, 'An attribute must have a value.');
        i++;
        break;

      case ATTR_QUOTE:
        i++;
        if (c === APOS || c === QUOTE) {
          p.quote = c;
          mark = i - base;
          state = ATTR_VALUE;
        } else if ((CLASS[c]! & SPACE) !== 0) p.odd = true;
        else return broken(p, 'An attribute value must be quoted.');
        break;

      case ATTR_VALUE:
        while ((CLASS[c]! & value) !== 0) {
          if (++i === stop) break scan;
          c = buf[i]!;
        }
        if (c === p.quote) {
          p.closeAttribute(buf, base, mark, i - base);
          state = IN_TAG;
        } else if ((CLASS[c]! & HIGH) !== 0) {
          p.high = true;
          text |= HIGH;
          value |= HIGH;
          break;
        } else if (c === AMP) {
          p.escaped = true;
          const length = named(buf, i + 1, stop);
          if (length > 0) i += length;
          else {
            state = REFERENCE;
            p.resume = ATTR_VALUE;
            p.reference = i + 1 - base;
          }
        } else if (c === LT) return broken(p, "'<' may not stand in an attribute value.");
        else if ((CLASS[c]! & SPACE) !== 0) p.odd = true;
        else if (c < 0x20) return broken(p, CONTROL);
        i++;
        break;

      case EMPTY:
        if (c !== GT) return broken(p, "'/' must be followed by '>' here.");
        i++;
        if (depth === 0) {
          p.topOpened(i - base, true);
          return i;
        }
        if (depth === 1) p.kidOpened(buf, base, i - base, around);
        state = TEXT;
        break;

      case END_NAME: {
        const start = base + p.names[depth * 2 - 2]!;
        const length = base + p.names[depth * 2 - 1]! - start;
        const own = base + mark;
        while (i - own < length) {
          if (buf[i] !== buf[start + i - own]) return broken(p, MISMATCH);
          if (++i === stop) break scan;
        }
        state = END_SPACE;
        break;
      }

      case END_SPACE:
        if (c === GT) {
          i++;
          state = TEXT;
          depth--;
          if (depth === 1) p.kidClosed(i - base);
          else if (depth === 0) return i;
        } else if ((CLASS[c]! & SPACE) !== 0) {
          p.odd = true;
          i++;
        } else return broken(p, MISMATCH);
        break;

      case REFERENCE: {
        const start = base + p.reference;
        if (c === SEMICOLON) {
          const name = buf.latin1Slice(start, i);
          if (entityText(name) === undefined) {
            if ((CLASS[buf[start]!]! & (NAME_START | HIGH)) !== 0)
              return restricted(p, `The entity '&${name};' is not one of XML's own five.`);
            return broken(p, `'&${name};' is no character of XML.`);
          }
          if (buf[start] === HASH) p.odd = true;
          state = p.resume;
        } else if ((CLASS[c]! & (NAME_CHAR | HIGH)) === 0 && !(c === HASH && i === start)) {
          return broken(p, "'&' must begin a reference.");
        } else if (i - start >= REFERENCE_BYTES) {
          if ((CLASS[buf[start]!]! & (NAME_START | HIGH)) !== 0) {
            return restricted(p, "No entity but XML's own five may be referred to (RFC 6120 11.1).");
          }
          return excess(p, 'A reference is too long.');
        }
        i++;
        break;
      }

      case SECTION: {
        const at = i - base - mark;
        if (c !== CDATA_OPEN.charCodeAt(at)) {
          // '<!--', '<!DOCTYPE'
          if (at === 0 && (c === 0x2d || c === 0x44)) {
            return restricted(p, 'Comments and DTDs are not allowed (RFC 6120 11.1).');
          }
          return broken(p, "'<!' must begin a CDATA section.");
        }
        i++;
        if (at === CDATA_OPEN.length - 1) {
          p.odd = true;
          mark = i - base;
          state = CDATA;
        }
        break;
      }

      case CDATA:
        if (c === GT && i - base - mark >= 2 && buf[i - 1] === BRACKET && buf[i - 2] === BRACKET) state = TEXT;
        else if ((CLASS[c]! & HIGH) !== 0) {
          p.high = true;
          text |= HIGH;
          value |= HIGH;
        } else if (c < 0x20 && (CLASS[c]! & SPACE) === 0) return broken(p, CONTROL);
        i++;
        break;
    }
  }
  if (i - base >= limits.bytes) return excess(p, `More than ${limits.bytes} bytes in one stanza.`);
  p.state = state;
  p.depth = depth;
  p.mark = mark;
  p.pos = i - base;
  return INCOMPLETE;
}

const CONTROL = 'A control character may not stand in XML.';
const TWICE = 'An attribute stands twice in one tag.';
const MISMATCH = 'An end tag does not match its start tag.';

/** Whether a byte that is no ordinary character of a name belongs to it nevertheless: a first colon, or one above 0x7f. */
function otherName(p: Progress, c: number, at: number): boolean {
  if (c === COLON && p.colon < 0) {
    p.colon = at;
    return true;
  }
  if ((CLASS[c]! & HIGH) === 0) return false;
  p.high = true;
  p.odd = true;
  return true;
}

/** Length of one of the five entities with its semicolon, behind an '&'; 0 for anything else and for what is cut. */
function named(buf: Uint8Array, at: number, stop: number): number {
  if (at + 5 >= stop) return 0;
  switch (buf[at]) {
    case 0x61: // a
      if (spells(buf, at, 'amp;')) return 4;
      return spells(buf, at, 'apos;') ? 5 : 0;
    case 0x6c: // l
      return spells(buf, at, 'lt;') ? 3 : 0;
    case 0x67: // g
      return spells(buf, at, 'gt;') ? 3 : 0;
    case 0x71: // q
      return spells(buf, at, 'quot;') ? 5 : 0;
  }
  return 0;
}

function fail(p: Progress, condition: XmlFault['condition'], text: string): -2 {
  p.fault = { condition, text };
  return BROKEN;
}

function broken(p: Progress, text: string): -2 {
  return fail(p, 'not-well-formed', text);
}

function restricted(p: Progress, text: string): -2 {
  return fail(p, 'restricted-xml', text);
}

function excess(p: Progress, text: string): -2 {
  return fail(p, 'policy-violation', text);
}

function tooMany(p: Progress, limits: XmlLimits): -2 {
  return excess(p, `More than ${limits.attributes} attributes on one element.`);
}
