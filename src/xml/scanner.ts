import { isUtf8 } from 'node:buffer';
import { entityText, fromWire } from './escape.ts';
import type { XmlFault, XmlLimits } from './fault.ts';
import { declare, NamespaceFault, type Prefixes, readStartTag, readTree, resolve, serialize } from './tree.ts';
import {
  K_END,
  K_HEAD_END,
  K_INNER_END,
  K_NAME_END,
  K_NS_END,
  K_NS_START,
  K_START,
  KID,
  kidHash,
  Stanza,
} from './stanza.ts';

/** The root element of a stream. Attributes by their names as written, unescaped. */
export interface StreamHeader {
  readonly name: string;
  readonly xmlns: string;
  /** The default namespace inside the stream: that of its stanzas. */
  readonly content: string;
  readonly attrs: ReadonlyMap<string, string>;
}

/** Where a scanner's findings go. A sink may call `hold`, `reset` or `stop` on the scanner from inside a call. */
export interface ScannerSink {
  onHeader(header: StreamHeader): void;
  onStanza(stanza: Stanza): void;
  /** The root element was closed; nothing follows. */
  onClose(): void;
  /** The input broke a rule; nothing follows. */
  onFault(fault: XmlFault): void;
}

// Classes of bytes
const NAME_START = 1;
const NAME_CHAR = 2;
const TEXT_PLAIN = 4;
const ATTR_PLAIN = 8;
const SPACE = 16;
const CLASS = new Uint8Array(256);
for (let c = 0; c < 256; c++) {
  const letter = (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x5f || c >= 0x80;
  const legal = c >= 0x20 || c === 0x09 || c === 0x0a;
  CLASS[c] =
    (letter ? NAME_START : 0) |
    (letter || (c >= 0x30 && c <= 0x39) || c === 0x2d || c === 0x2e ? NAME_CHAR : 0) |
    (legal && c !== 0x3c && c !== 0x26 && c !== 0x3e ? TEXT_PLAIN : 0) |
    (c >= 0x20 && c !== 0x3c && c !== 0x26 && c !== 0x22 && c !== 0x27 ? ATTR_PLAIN : 0) |
    (c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0d ? SPACE : 0);
}

// Where in the grammar the next byte stands
const TEXT = 0;
const LT = 1; // behind '<'
const START_NAME = 2;
const IN_TAG = 3; // behind an attribute value or name: white space, '/' or '>'
const TAG_SPACE = 4; // behind white space in a tag: an attribute may begin
const ATTR_NAME = 5;
const ATTR_EQ = 6; // white space between an attribute's name and '='
const ATTR_QUOTE = 7; // behind '='
const ATTR_VALUE = 8;
const EMPTY = 9; // behind '/' in a start tag
const END_NAME = 10;
const END_SPACE = 11;
const ENTITY = 12;
const BANG = 13; // behind '<!'
const CDATA = 14;
const DECLARATION = 15; // an XML declaration, behind '<?'

const ENTITY_BYTES = 16; // longest reference looked at: '&#x0010FFFF;' and some zeros
const DECLARATION_BYTES = 160;
const CDATA_OPEN = '[CDATA[';
const XML_DECLARATION =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.[0-9]+"|'1\.[0-9]+')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][\w.-]*)"|'([A-Za-z][\w.-]*)'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>$/;

/**
 * What is known of an element that is not complete yet. Positions count from its '<'. Taken from a pool for the time
 * between a stanza's first and last byte, so that a silent stream holds none.
 */
class Progress {
  state = LT;
  resume = TEXT; // where an entity goes back to
  pos = 0;
  mark = 0; // start of the token at hand
  colon = -1;
  quote = 0;
  bits = 0; // OR of all bytes: tells whether there is any above 0x7f
  nameBits = 0; // the same for the name at hand
  elements = 0;
  depth = 0;
  odd = false; // outside the canonical subset
  names = new Int32Array(64); // start, end of each open element's name
  nameCount = 0;
  attrs = new Int32Array(64); // of the tag at hand: name start, end, value start, end
  attrCount = 0;
  topAttrs: number[] = NONE;
  kids = new Int32Array(16 * KID);
  kidCount = 0;
  kidMask = 0;
  xmlnsLength = 0; // of the stanza's own namespace
  headEnd = 0;

  begin(): this {
    this.state = LT;
    this.resume = TEXT;
    this.pos = 1;
    this.mark = this.quote = this.bits = this.nameBits = this.elements = this.depth = this.headEnd = 0;
    this.nameCount = this.attrCount = this.kidCount = this.kidMask = 0;
    this.colon = -1;
    this.odd = false;
    return this;
  }

  pushName(start: number, end: number): void {
    if (this.nameCount + 2 > this.names.length) this.names = grown(this.names);
    this.names[this.nameCount++] = start;
    this.names[this.nameCount++] = end;
  }

  pushAttr(position: number): void {
    if (this.attrCount === this.attrs.length) this.attrs = grown(this.attrs);
    this.attrs[this.attrCount++] = position;
  }
}

const NONE: number[] = [];

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const next = new Int32Array(array.length * 2);
  next.set(array);
  return next;
}

/** The first numbers of a scratch array, as an array of its own. */
function taken(scratch: Int32Array, count: number): number[] {
  if (count === 0) return NONE;
  const out = new Array<number>(count);
  for (let i = 0; i < count; i++) out[i] = scratch[i]!;
  return out;
}

const pool: Progress[] = [];
const EMPTY_BUFFER = Buffer.alloc(0);
const NO_PREFIXES: Prefixes = new Map();

const OUTSIDE = 0; // before the root element
const STREAM = 1; // between stanzas
const ENDED = 2;

/**
 * Cuts a stream of bytes into stanzas and decides what is well formed: XML 1.0 and Namespaces in XML 1.0 within the bounds of
 * RFC 6120 11.1 (no comment, processing instruction, DTD, entity of one's own) and of its limits. Every way of cutting the
 * input into chunks gives the same result. Stanzas leave it canonical; what came otherwise is written anew from its tree.
 */
export class Scanner {
  limits: XmlLimits;
  private readonly sink: ScannerSink;
  private readonly framed: boolean;
  private readonly trusted: boolean;
  private phase = OUTSIDE;
  private declared = false; // an XML declaration has been read
  private started = false; // any byte of this document has been read
  private held = false;
  private running = false;
  private progress: Progress | undefined;
  private pending: Buffer = EMPTY_BUFFER; // bytes that could not be finished: the stanza at hand, or what came while held
  private length = 0;
  private rootName = '';
  private prefixes: Prefixes = NO_PREFIXES;
  private content = '';

  /**
   * `framed` is for WebSocket (RFC 7395): no root element, each top element is a stanza with its own xmlns.
   * `trusted` input is canonical already.
   */
  constructor(sink: ScannerSink, limits: XmlLimits, framed = false, trusted = false) {
    this.sink = sink;
    this.trusted = trusted;
    this.limits = limits;
    this.framed = framed;
    if (framed) this.phase = STREAM;
  }

  /** Whether a stanza has begun and not ended. */
  get midway(): boolean {
    return this.length > 0;
  }

  /** Bytes kept, waiting for more of them or for `release`. */
  get pendingBytes(): number {
    return this.length;
  }

  /** Stops handing out stanzas until `release`; what comes meanwhile is kept. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    if (!this.running) this.push(EMPTY_BUFFER, 0, 0);
  }

  /** A new stream begins with the next byte (RFC 6120 4.3.3). */
  reset(): void {
    this.phase = this.framed ? STREAM : OUTSIDE;
    this.declared = this.started = false;
    this.prefixes = NO_PREFIXES;
  }

  /** Takes no more input: what is left of it is dropped. */
  stop(): void {
    this.phase = ENDED;
    this.dropPending();
  }

  /** Takes bytes; they are the caller's again when it returns. */
  push(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (this.phase === ENDED) return;
    let buf = bytes as Buffer;
    let from = start;
    let to = end;
    if (this.length > 0) {
      this.append(bytes, start, end);
      buf = this.pending;
      from = 0;
      to = this.length;
    }
    if (this.held || this.running) {
      if (buf !== this.pending) this.append(bytes, start, end);
      return;
    }
    this.running = true;
    const used = this.scan(buf, from, to);
    this.running = false;
    // #phase may have become ENDED inside the call
    if (used < to && (this.phase as number) !== ENDED) this.keep(buf, used, to);
    else this.dropPending();
  }

  private append(bytes: Uint8Array, start: number, end: number): void {
    const need = this.length + end - start;
    if (need > this.pending.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(need, Math.min(this.pending.length * 2, need + 65536), 512));
      this.pending.copy(grown, 0, 0, this.length);
      this.pending = grown;
    }
    this.pending.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.length);
    this.length = need;
  }

  private keep(buf: Buffer, used: number, to: number): void {
    if (buf === this.pending) {
      if (used > 0) buf.copyWithin(0, used, to);
      this.length = to - used;
    } else this.append(buf, used, to);
  }

  private dropPending(): void {
    if (this.pending !== EMPTY_BUFFER) this.pending = EMPTY_BUFFER;
    this.length = 0;
  }

  private fault(condition: XmlFault['condition'], text: string): void {
    if (this.progress) pool.push(this.progress);
    this.progress = undefined;
    this.phase = ENDED;
    this.dropPending();
    this.sink.onFault({ condition, text });
  }

  /** Works on buf[from, to); returns how far it got: behind the last complete element, at the '<' of an incomplete one. */
  private scan(buf: Buffer, from: number, to: number): number {
    let i = from;
    while (i < to) {
      if (this.progress) {
        const next = this.element(buf, i, to);
        if (next < 0) return (this.phase as number) === ENDED ? to : i;
        i = next;
        if (this.held) return i;
        if (this.phase === ENDED) return to;
        continue;
      }
      const c = buf[i]!;
      if (c === 0x3c) {
        this.progress = (pool.pop() ?? new Progress()).begin();
        if (this.started) this.declared = true; // an XML declaration is the first thing or nothing (XML 1.0 2.8)
        this.started = true;
      } else if ((CLASS[c]! & SPACE) !== 0) {
        this.started = true;
        i++;
      } else if (this.phase === STREAM && c >= 0x20) {
        this.fault('bad-format', 'Text may not stand between stanzas.');
        return to;
      } else {
        this.fault('not-well-formed', 'A stream begins with its header.');
        return to;
      }
    }
    return i;
  }

  /** Goes on with the element at buf[base]. Returns the position behind it, or -1: incomplete, or the end of everything. */
  private element(buf: Buffer, base: number, to: number): number {
    const p = this.progress!;
    const limits = this.limits;
    let state = p.state;
    let i = base + p.pos;
    let bits = p.bits;
    while (i < to) {
      let c = buf[i]!;
      switch (state) {
        case TEXT:
          while ((CLASS[c]! & TEXT_PLAIN) !== 0) {
            bits |= c;
            if (++i === to) break;
            c = buf[i]!;
          }
          if (i === to) break;
          if (c === 0x3c) {
            state = LT;
            if (i + 1 < to) {
              const next = buf[i + 1]!;
              if (next === 0x2f) {
                i += 2;
                p.mark = i - base;
                state = END_NAME;
                break;
              }
              if ((CLASS[next]! & NAME_START) !== 0) {
                i++;
                p.mark = i - base;
                p.colon = -1;
                state = START_NAME;
                break;
              }
            }
          } else if (c === 0x26) {
            state = ENTITY;
            p.resume = TEXT;
            p.mark = i + 1 - base;
          } else if (c === 0x3e) {
            if (buf[i - 1] === 0x5d && buf[i - 2] === 0x5d) return this.broken("']]>' may not stand in text.");
          } else if (c === 0x0d) p.odd = true;
          else return this.broken('A control character may not stand in XML.');
          i++;
          break;

        case LT:
          if ((CLASS[c]! & NAME_START) !== 0) {
            state = START_NAME;
            p.mark = i - base;
            p.colon = -1;
          } else if (c === 0x2f) {
            state = END_NAME;
            p.mark = i + 1 - base;
            if (p.depth === 0 && (this.phase === OUTSIDE || this.framed))
              return this.broken('An end tag without its start tag.');
          } else if (c === 0x21) {
            if (p.depth === 0 && this.phase !== STREAM) {
              this.fault('restricted-xml', 'Comments, DTDs and CDATA may not stand here.');
              return -1;
            }
            state = BANG;
            p.mark = i + 1 - base;
          } else if (c === 0x3f) {
            if (this.phase !== OUTSIDE || this.declared || p.depth > 0) {
              this.fault('restricted-xml', 'Processing instructions are not allowed (RFC 6120 11.1).');
              return -1;
            }
            state = DECLARATION;
          } else return this.broken("'<' must be followed by a name.");
          i++;
          break;

        case START_NAME:
          while ((CLASS[c]! & NAME_CHAR) !== 0) {
            bits |= c;
            p.nameBits |= c;
            if (++i === to) break;
            c = buf[i]!;
          }
          if (i === to) break;
          if (c === 0x3a && p.colon < 0) {
            p.colon = i - base;
            p.odd = true;
            i++;
            break;
          }
          if (p.nameBits > 0x7f) p.odd = true;
          p.nameBits = 0;
          if (p.depth >= limits.depth) return this.excess(`More than ${limits.depth} levels of nesting.`);
          if (++p.elements > limits.elements)
            return this.excess(`More than ${limits.elements} elements in one stanza.`);
          p.pushName(p.mark, i - base);
          p.attrCount = 0;
          state = IN_TAG;
          break;

        case IN_TAG:
          if (c === 0x20) {
            state = TAG_SPACE;
            if (i + 1 < to && (CLASS[buf[i + 1]!]! & NAME_START) !== 0) {
              i++;
              state = ATTR_NAME;
              p.mark = i - base;
              p.colon = -1;
              break;
            }
          } else if (c === 0x3e) {
            if (!this.startTagEnds(buf, base, i, false)) return -1;
            if (p.depth === 1 && this.phase === OUTSIDE) return this.header(buf, base, i + 1, false);
            state = TEXT;
          } else if (c === 0x2f) state = EMPTY;
          else if ((CLASS[c]! & SPACE) !== 0) {
            p.odd = true;
            state = TAG_SPACE;
          } else return this.broken('A tag holds attributes, with white space before each.');
          i++;
          break;

        case TAG_SPACE:
          if ((CLASS[c]! & NAME_START) !== 0) {
            state = ATTR_NAME;
            p.mark = i - base;
            p.colon = -1;
          } else if (c === 0x3e || c === 0x2f) {
            state = IN_TAG;
            break;
          } else if ((CLASS[c]! & SPACE) !== 0) p.odd = true;
          else return this.broken('An attribute must have a name.');
          i++;
          break;

        case ATTR_NAME:
          while ((CLASS[c]! & NAME_CHAR) !== 0) {
            bits |= c;
            p.nameBits |= c;
            if (++i === to) break;
            c = buf[i]!;
          }
          if (i === to) break;
          if (c === 0x3a && p.colon < 0) {
            p.colon = i - base;
            // xml:lang is the one prefixed name of ordinary stanzas
            if (p.colon - p.mark !== 3 || buf[i - 3] !== 0x78 || buf[i - 2] !== 0x6d || buf[i - 1] !== 0x6c)
              p.odd = true;
            i++;
            break;
          }
          if (p.colon === i - 1 - base) return this.broken('A name may not end with a colon.');
          if (p.nameBits > 0x7f) p.odd = true;
          p.nameBits = 0;
          if (p.attrCount >= limits.attributes * 4) {
            return this.excess(`More than ${limits.attributes} attributes on one element.`);
          }
          p.pushAttr(p.mark);
          p.pushAttr(i - base);
          if (c === 0x3d && i + 1 < to && (buf[i + 1] === 0x22 || buf[i + 1] === 0x27)) {
            // as nearly all are written
            p.quote = buf[i + 1]!;
            i += 2;
            p.pushAttr(i - base);
            state = ATTR_VALUE;
          } else state = ATTR_EQ;
          break;

        case ATTR_EQ:
          if (c === 0x3d) state = ATTR_QUOTE;
          else if ((CLASS[c]! & SPACE) !== 0) p.odd = true;
          else return this.broken('An attribute must have a value.');
          i++;
          break;

        case ATTR_QUOTE:
          if (c === 0x22 || c === 0x27) {
            p.quote = c;
            p.pushAttr(i + 1 - base);
            state = ATTR_VALUE;
          } else if ((CLASS[c]! & SPACE) !== 0) p.odd = true;
          else return this.broken('An attribute value must be quoted.');
          i++;
          break;

        case ATTR_VALUE:
          while ((CLASS[c]! & ATTR_PLAIN) !== 0) {
            bits |= c;
            if (++i === to) break;
            c = buf[i]!;
          }
          if (i === to) break;
          if (c === p.quote) {
            p.pushAttr(i - base);
            state = IN_TAG;
          } else if (c === 0x26) {
            state = ENTITY;
            p.resume = ATTR_VALUE;
            p.mark = i + 1 - base;
          } else if (c === 0x3c) return this.broken("'<' may not stand in an attribute value.");
          else if ((CLASS[c]! & SPACE) !== 0) p.odd = true;
          else if (c < 0x20) return this.broken('A control character may not stand in XML.');
          i++;
          break;

        case EMPTY:
          if (c !== 0x3e) return this.broken("'/' must be followed by '>' here.");
          if (!this.startTagEnds(buf, base, i, true)) return -1;
          i++;
          if (p.depth === 0) {
            if (this.phase === OUTSIDE) return this.header(buf, base, i, true);
            return this.complete(buf, base, i, bits);
          }
          state = TEXT;
          break;

        case END_NAME: {
          if (p.depth === 0) {
            // the end of the stream: its own root element
            const at = i - base - p.mark;
            if (at < this.rootName.length) {
              if (c !== this.rootName.charCodeAt(at)) return this.broken('An end tag does not match its start tag.');
            } else if (c === 0x3e) {
              this.stop();
              this.recycle();
              this.sink.onClose();
              return -1;
            } else if ((CLASS[c]! & SPACE) === 0) return this.broken('An end tag does not match its start tag.');
            i++;
            break;
          }
          const nameStart = base + p.names[p.nameCount - 2]!;
          const length = base + p.names[p.nameCount - 1]! - nameStart;
          const mark = base + p.mark;
          while (i < to && i - mark < length) {
            if (buf[i] !== buf[nameStart + i - mark]) return this.broken('An end tag does not match its start tag.');
            i++;
          }
          if (i - mark === length) state = END_SPACE;
          break;
        }

        case END_SPACE:
          if (c === 0x3e) {
            i++;
            p.nameCount -= 2;
            p.depth--;
            if (p.depth === 1) {
              const k = p.kidCount - KID;
              p.kids[k + K_INNER_END] = p.mark - 2;
              p.kids[k + K_END] = i - base;
            } else if (p.depth === 0) return this.complete(buf, base, i, bits);
            state = TEXT;
          } else if ((CLASS[c]! & SPACE) !== 0) {
            p.odd = true;
            i++;
          } else return this.broken('An end tag does not match its start tag.');
          break;

        case ENTITY:
          if (c === 0x3b) {
            const name = buf.latin1Slice(base + p.mark, i);
            if (entityText(name) === undefined) {
              if (/^[A-Za-z_]/.test(name))
                this.fault('restricted-xml', `The entity '&${name};' is not one of XML's own five.`);
              else return this.broken(`'&${name};' is no character of XML.`);
              return -1;
            }
            if (name.charCodeAt(0) === 0x23) p.odd = true;
            state = p.resume;
          } else if ((CLASS[c]! & NAME_CHAR) === 0 && !(c === 0x23 && i === base + p.mark)) {
            return this.broken("'&' must begin an entity.");
          } else if (i - base - p.mark >= ENTITY_BYTES) {
            return this.broken("'&' must begin a short entity.");
          }
          i++;
          break;

        case BANG: {
          const at = i - base - p.mark;
          if (c !== CDATA_OPEN.charCodeAt(at)) {
            if (at === 0 && (c === 0x2d || c === 0x44)) {
              this.fault('restricted-xml', 'Comments and DTDs are not allowed (RFC 6120 11.1).');
              return -1;
            }
            return this.broken("'<!' must begin a CDATA section.");
          }
          if (p.depth === 0) return this.broken('A CDATA section may not stand between stanzas.');
          i++;
          if (at === CDATA_OPEN.length - 1) {
            p.odd = true;
            p.mark = i - base;
            state = CDATA;
          }
          break;
        }

        case CDATA:
          if (c === 0x3e && i - base - p.mark >= 2 && buf[i - 1] === 0x5d && buf[i - 2] === 0x5d) state = TEXT;
          else if (c < 0x20 && (CLASS[c]! & SPACE) === 0)
            return this.broken('A control character may not stand in XML.');
          bits |= c;
          i++;
          break;

        case DECLARATION:
          i++;
          if (c === 0x3e && buf[i - 2] === 0x3f) {
            const match = XML_DECLARATION.exec(buf.latin1Slice(base, i));
            if (!match) return this.broken('The XML declaration is not one.');
            const encoding = match[1] ?? match[2];
            if (encoding !== undefined && encoding.toUpperCase() !== 'UTF-8') {
              this.fault('unsupported-encoding', 'A stream is in UTF-8 (RFC 6120 11.6).');
              return -1;
            }
            this.declared = true;
            this.recycle();
            return i;
          }
          if (i - base > DECLARATION_BYTES) return this.broken('The XML declaration is too long.');
          break;
      }
      if (i - base > limits.bytes) return this.excess(`More than ${limits.bytes} bytes in one stanza.`);
    }
    p.state = state;
    p.pos = i - base;
    p.bits = bits;
    return -1;
  }

  private broken(text: string): -1 {
    this.fault('not-well-formed', text);
    return -1;
  }

  private excess(text: string): -1 {
    this.fault('policy-violation', text);
    return -1;
  }

  private recycle(): void {
    pool.push(this.progress!);
    this.progress = undefined;
  }

  /** A start tag is complete; `at` is its '>'. False after a fault. */
  private startTagEnds(buf: Buffer, base: number, at: number, empty: boolean): boolean {
    const p = this.progress!;
    const { attrs, attrCount } = p;
    let xmlnsStart = -1;
    let xmlnsEnd = -1;
    for (let k = 0; k < attrCount; k += 4) {
      const start = base + attrs[k]!;
      const length = base + attrs[k + 1]! - start;
      if (length === 5 && isXmlns(buf, start)) {
        xmlnsStart = attrs[k + 2]!;
        xmlnsEnd = attrs[k + 3]!;
        // perhaps 'http://www.w3.org/...', which XML keeps for itself: for the tree to decide
        if (buf[base + xmlnsStart + 11] === 0x77 && buf[base + xmlnsStart + 12] === 0x33) p.odd = true;
      }
      for (let other = 0; other < k; other += 4) {
        if (attrs[other + 1]! - attrs[other]! === length && sameBytes(buf, base + attrs[other]!, start, length)) {
          return this.broken('An attribute stands twice in one tag.') > 0;
        }
      }
    }
    const end = at + 1 - base;
    if (p.depth === 0) {
      if (p.odd && !empty && this.phase === STREAM && this.isRoot(buf, base)) {
        this.fault('bad-format', 'A stream has one header.');
        return false;
      }
      p.topAttrs = taken(attrs, attrCount);
      p.xmlnsLength = xmlnsStart < 0 ? this.content.length : xmlnsEnd - xmlnsStart;
      p.headEnd = empty ? end - 2 : end - 1;
    } else if (p.depth === 1) {
      const k = p.kidCount;
      if (k === p.kids.length) p.kids = grown(p.kids);
      const { kids } = p;
      p.kidCount = k + KID;
      const nameStart = p.names[p.nameCount - 2]!;
      const nameEnd = p.names[p.nameCount - 1]!;
      kids[k + K_START] = nameStart - 1;
      kids[k + K_NAME_END] = nameEnd;
      kids[k + K_NS_START] = xmlnsStart;
      kids[k + K_NS_END] = xmlnsEnd;
      kids[k + K_HEAD_END] = kids[k + K_INNER_END] = kids[k + K_END] = end;
      const nsLength = xmlnsStart < 0 ? p.xmlnsLength : xmlnsEnd - xmlnsStart;
      p.kidMask |= 1 << kidHash(nameEnd - nameStart, buf[base + nameStart]!, nsLength);
    }
    if (empty) p.nameCount -= 2;
    else p.depth++;
    return true;
  }

  /** Whether the element at hand has the name of the stream's root. */
  private isRoot(buf: Buffer, base: number): boolean {
    const { names } = this.progress!;
    return buf.latin1Slice(base + names[0]!, base + names[1]!) === this.rootName;
  }

  /** The root element's start tag is complete: [base, end). */
  private header(buf: Buffer, base: number, end: number, empty: boolean): number {
    this.recycle();
    if (!isUtf8(buf.subarray(base, end))) return this.broken('The stream header is not UTF-8.');
    const raw = buf.latin1Slice(base, end);
    try {
      const tag = readStartTag(fromWire(raw), 1);
      const scope = declare(NO_PREFIXES, tag.attrs);
      const { local, xmlns } = resolve(tag.name, scope);
      this.prefixes = scope;
      this.content = scope.get('') ?? '';
      this.rootName = raw.slice(1, 1 + Buffer.byteLength(tag.name));
      this.phase = STREAM;
      for (const [name] of tag.attrs)
        if (name !== 'xmlns') resolve(name.startsWith('xmlns:') ? name.slice(6) : name, scope);
      this.sink.onHeader({ name: local, xmlns, content: this.content, attrs: new Map(tag.attrs) });
    } catch (error) {
      if (error instanceof NamespaceFault) return this.broken(error.message);
      throw error;
    }
    if (empty && this.phase === STREAM) {
      this.stop();
      this.sink.onClose();
      return -1;
    }
    return end;
  }

  /** A stanza is complete: [base, end). */
  private complete(buf: Buffer, base: number, end: number, bits: number): number {
    const p = this.progress!;
    if (end - base > this.limits.bytes) return this.excess(`More than ${this.limits.bytes} bytes in one stanza.`);
    const raw = buf.latin1Slice(base, end);
    if (bits > 0x7f) {
      if (!isUtf8(buf.subarray(base, end))) return this.broken('The stream is not UTF-8.');
      // U+FFFE and U+FFFF are no characters of XML
      if (raw.includes('ï¿¾') || raw.includes('ï¿¿')) return this.broken('U+FFFE and U+FFFF may not stand in XML.');
    }
    let stanza: Stanza;
    if (p.odd && !this.trusted) {
      try {
        stanza = indexed(serialize(readTree(raw, this.prefixes.size > 0 ? this.prefixes : DEFAULT_PREFIXES)));
      } catch (error) {
        if (error instanceof NamespaceFault) return this.broken(error.message);
        throw error;
      }
    } else stanza = this.make(p, raw);
    this.recycle();
    this.sink.onStanza(stanza);
    return end;
  }

  private make(p: Progress, raw: string): Stanza {
    const attrs = p.topAttrs;
    let xmlns = this.content;
    let nameEnd = p.headEnd;
    for (let k = attrs.length - 4; k >= 0; k -= 4) {
      nameEnd = attrs[k]! - 1;
      if (attrs[k + 1]! - attrs[k]! === 5 && raw.startsWith('xmlns', attrs[k]))
        xmlns = raw.slice(attrs[k + 2], attrs[k + 3]);
    }
    return makeStanza(raw, nameEnd, xmlns, attrs, taken(p.kids, p.kidCount), p.headEnd, p.kidMask);
  }
}

const DEFAULT_PREFIXES: Prefixes = new Map([['', '']]);
const KNOWN_NAMESPACES = new Map(['jabber:client', 'jabber:component:accept', 'urn:xmpp:sm:3'].map(ns => [ns, ns]));

function makeStanza(
  raw: string,
  nameEnd: number,
  xmlns: string,
  attrs: number[],
  kids: number[],
  headEnd: number,
  mask: number,
): Stanza {
  let name: string;
  if (raw.startsWith('message', 1) && nameEnd === 8) name = 'message';
  else if (raw.startsWith('iq', 1) && nameEnd === 3) name = 'iq';
  else if (raw.startsWith('presence', 1) && nameEnd === 9) name = 'presence';
  else name = fromWire(raw.slice(1, nameEnd).trimEnd());
  return new Stanza(name, KNOWN_NAMESPACES.get(xmlns) ?? fromWire(xmlns), raw, attrs, kids, headEnd, mask);
}

function isXmlns(buf: Buffer, at: number): boolean {
  return (
    buf[at] === 0x78 && buf[at + 1] === 0x6d && buf[at + 2] === 0x6c && buf[at + 3] === 0x6e && buf[at + 4] === 0x73
  );
}

function sameBytes(buf: Buffer, a: number, b: number, length: number): boolean {
  for (let k = 0; k < length; k++) if (buf[a + k] !== buf[b + k]) return false;
  return true;
}

const UNBOUNDED: XmlLimits = { bytes: Infinity, depth: Infinity, attributes: Infinity, elements: Infinity };

/** Makes a Stanza of canonical markup that the house itself wrote. */
export function indexed(wire: string): Stanza {
  let found: Stanza | undefined;
  const sink: ScannerSink = {
    onStanza: stanza => (found = stanza),
    onHeader: () => {},
    onClose: () => {},
    onFault: fault => {
      throw new Error(`not canonical: ${fault.text}`);
    },
  };
  new Scanner(sink, UNBOUNDED, true, true).push(Buffer.from(wire, 'latin1'));
  if (!found) throw new Error('not canonical: incomplete');
  return found;
}
