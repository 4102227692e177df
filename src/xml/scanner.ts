import { isUtf8 } from 'node:buffer';
import { BANG, CLASS, GT, HIGH, LT, NAME_START, QUESTION, SLASH, SPACE } from './classes.ts';
import { advance, BROKEN } from './element.ts';
import type { XmlFault, XmlLimits } from './fault.ts';
import { DECLARATION_BYTES, declaredEncoding, NO_PREFIXES, readHeader, type StreamHeader } from './header.ts';
import { indexed, makeStanza } from './make.ts';
import { NamespaceFault, type Prefixes } from './namespaces.ts';
import { giveBack, type Progress, takeProgress } from './progress.ts';
import type { Stanza } from './stanza.ts';
import { readTree, serialize, TooLong } from './tree.ts';

/** Where a scanner's findings go. A sink may call any method of the scanner from inside a call. */
export interface ScannerSink {
  onHeader(header: StreamHeader): void;
  onStanza(stanza: Stanza): void;
  /** The root element was closed; nothing follows. */
  onClose(): void;
  /** The input broke a rule; nothing follows. */
  onFault(fault: XmlFault): void;
}

// What may come next
const OUTSIDE = 0; // the root element
const STREAM = 1; // stanzas, or the root's end tag
const ENDED = 2;

// Whether an XML declaration may come: the first thing or nothing (XML 1.0 2.8)
const LATE = 0;
const FIRST = 1;
const RESTARTED = 2; // white space before it belongs to the stream before

const EMPTY_BUFFER = Buffer.alloc(0);
const DEFAULT_PREFIXES: Prefixes = new Map([['', '']]);
const LEAST_PENDING = 512;

/**
 * Cuts a stream of bytes into stanzas and decides what is well formed: XML 1.0 and Namespaces in XML 1.0 within the bounds of
 * RFC 6120 11.1 (no comment, processing instruction, DTD, entity of one's own) and of its limits. Every way of cutting the
 * input into chunks gives the same result. Stanzas leave it canonical; what came otherwise is written anew from its tree.
 */
export class Scanner {
  limits: XmlLimits;
  private readonly sink: ScannerSink;
  private readonly framed: boolean;
  private phase = OUTSIDE;
  private declaration = FIRST;
  private held = false;
  private running = false;
  /** The element at hand; the bytes that are kept begin with it. */
  private progress: Progress | undefined;
  /** Bytes that could not be finished, and what came while held. */
  private pending: Buffer = EMPTY_BUFFER;
  private length = 0;
  /** Bytes that came from inside a call of the sink. */
  private late: Buffer | undefined;
  private rootName = '';
  /** How much of the root's end tag has been read; it stands at the beginning of what is kept. */
  private closing = 0;
  private prefixes: Prefixes = NO_PREFIXES;
  private content = '';

  /** `framed` is for WebSocket (RFC 7395): no root element, each top element is a stanza with its own xmlns. */
  constructor(sink: ScannerSink, limits: XmlLimits, framed = false) {
    this.sink = sink;
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

  /** Bytes of memory that are taken for them. */
  get pendingCapacity(): number {
    return this.pending.length;
  }

  /** Stops handing out stanzas until `release`; what comes meanwhile is kept. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    if (!this.running) this.push(EMPTY_BUFFER);
  }

  /** A new stream begins with the next byte (RFC 6120 4.3.3). */
  reset(): void {
    this.phase = this.framed ? STREAM : OUTSIDE;
    this.declaration = RESTARTED;
    this.prefixes = NO_PREFIXES;
    this.content = '';
    this.dropProgress();
  }

  /** Takes no more input: what is left of it is dropped. */
  stop(): void {
    this.phase = ENDED;
    this.dropProgress();
    this.dropPending();
    this.late = undefined;
  }

  /** Takes bytes; they are the caller's again when it returns. */
  push(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (this.phase === ENDED) return;
    if (this.running) {
      const came = bytes.subarray(start, end);
      this.late = this.late ? Buffer.concat([this.late, came]) : Buffer.from(came);
      return;
    }
    if (this.length > 0 || this.held) this.append(bytes, start, end);
    if (this.held) return;
    if (this.length > 0) this.run(this.pending, 0, this.length);
    else this.run(bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, end), start, end);
  }

  private run(buf: Buffer, from: number, to: number): void {
    this.running = true;
    try {
      const used = this.scan(buf, from, to);
      // it may have ended inside a call
      if (used < to && (this.phase as number) !== ENDED) this.keep(buf, used, to);
      else this.dropPending();
    } catch (bug) {
      // how much of the input was used nobody can tell
      this.stop();
      throw bug;
    } finally {
      this.running = false;
    }
    const { late } = this;
    if (late) {
      this.late = undefined;
      this.push(late);
    }
  }

  private append(bytes: Uint8Array, start: number, end: number): void {
    const need = this.length + end - start;
    if (need > this.pending.length) {
      // doubled, so that an element that comes byte by byte costs no more than twice its length in copies
      const grown = Buffer.allocUnsafeSlow(Math.max(need, this.pending.length * 2, LEAST_PENDING));
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
    this.pending = EMPTY_BUFFER;
    this.length = 0;
  }

  private dropProgress(): void {
    if (this.progress) giveBack(this.progress);
    this.progress = undefined;
    this.closing = 0;
  }

  /** Reports a fault. All that reports one returns its end of the input: nothing follows. */
  private fault(condition: XmlFault['condition'], text: string, to: number): number {
    this.stop();
    this.sink.onFault({ condition, text });
    return to;
  }

  /** Works on buf[from, to); returns how far it got: behind the last complete element, at the '<' of an incomplete one. */
  private scan(buf: Buffer, from: number, to: number): number {
    let i = from;
    while (i < to && this.phase !== ENDED) {
      let p = this.progress;
      if (!p) {
        const c = buf[i]!;
        if (c !== LT) {
          if ((CLASS[c]! & SPACE) === 0) return this.stray(c, to);
          if (this.declaration === FIRST) this.declaration = LATE;
          i++;
          continue;
        }
        // what begins here, the next byte says
        if (i + 1 === to) return i;
        const next = buf[i + 1]!;
        if ((CLASS[next]! & (NAME_START | HIGH)) === 0) {
          const end = this.noElement(buf, i, to, next);
          if (end < 0) return i;
          i = end;
          continue;
        }
        this.declaration = LATE;
        this.progress = p = takeProgress();
        p.root = this.rootName;
      }
      const end = advance(p, buf, i, to, this.limits, this.content.length, this.phase === OUTSIDE);
      if (end < 0) {
        if (end !== BROKEN) return i;
        const { condition, text } = p.fault!;
        return this.fault(condition, text, to);
      }
      if (this.phase === OUTSIDE) this.header(p, buf, i, end);
      else this.complete(p, buf, i, end);
      i = end;
      if (this.held) break;
    }
    return i;
  }

  /** A byte between elements that is neither '<' nor white space. */
  private stray(c: number, to: number): number {
    if (this.phase === OUTSIDE) {
      // the first byte of UTF-16 and UTF-32, with a byte order mark or without
      if (c === 0 || c >= 0xfe) return this.fault('unsupported-encoding', UTF8_ONLY, to);
      return this.fault('not-well-formed', 'A stream begins with its header.', to);
    }
    if (c < 0x20) return this.fault('not-well-formed', 'A control character may not stand in XML.', to);
    return this.fault('bad-format', 'Text may not stand between stanzas.', to);
  }

  /** Something other than an element begins at buf[base]. Returns the position behind it, or -1: incomplete. */
  private noElement(buf: Buffer, base: number, to: number, next: number): number {
    if (next === SLASH) return this.endTag(buf, base, to);
    if (next === QUESTION) {
      if (this.phase !== OUTSIDE || this.declaration === LATE) {
        return this.fault('restricted-xml', 'Processing instructions are not allowed (RFC 6120 11.1).', to);
      }
      return this.xmlDeclaration(buf, base, to);
    }
    if (next === BANG) {
      if (base + 2 === to) return -1;
      const c = buf[base + 2];
      if (c === 0x5b) return this.fault('bad-format', 'A CDATA section may not stand between stanzas.', to);
      return this.fault('restricted-xml', 'Comments and DTDs are not allowed (RFC 6120 11.1).', to);
    }
    if (next === 0 && this.phase === OUTSIDE) return this.fault('unsupported-encoding', UTF8_ONLY, to);
    return this.fault('not-well-formed', "'<' must be followed by a name.", to);
  }

  /** '</' stands between stanzas: the end of the root element. */
  private endTag(buf: Buffer, base: number, to: number): number {
    const { rootName } = this;
    if (this.phase === OUTSIDE || this.framed) {
      return this.fault('not-well-formed', 'An end tag without its start tag.', to);
    }
    for (let at = Math.max(this.closing, 2); base + at < to; at++) {
      const c = buf[base + at]!;
      const rest = at - 2 - rootName.length;
      if (rest < 0 ? c === rootName.charCodeAt(at - 2) : (CLASS[c]! & SPACE) !== 0) continue;
      if (rest < 0 || c !== GT) return this.fault('not-well-formed', 'An end tag does not match its start tag.', to);
      this.stop();
      this.sink.onClose();
      return to;
    }
    if (to - base >= this.limits.bytes) return this.fault('policy-violation', 'An end tag is too long.', to);
    this.closing = to - base;
    return -1;
  }

  /** '<?' stands where an XML declaration may. */
  private xmlDeclaration(buf: Buffer, base: number, to: number): number {
    const end = buf.indexOf('?>', base + 2, 'latin1') + 2;
    if (end < 2 || end > Math.min(to, base + DECLARATION_BYTES)) {
      if (to - base < DECLARATION_BYTES) return -1;
      return this.fault('not-well-formed', 'The XML declaration is too long.', to);
    }
    const encoding = declaredEncoding(buf.latin1Slice(base, end));
    if (encoding === undefined) return this.fault('not-well-formed', 'The XML declaration is not one.', to);
    if (encoding !== 'UTF-8') return this.fault('unsupported-encoding', UTF8_ONLY, to);
    this.declaration = LATE;
    return end;
  }

  /** The bytes of an element as a wire string, or undefined: they are not UTF-8, or no characters of XML. */
  private text(p: Progress, buf: Buffer, base: number, end: number): string | undefined {
    const raw = buf.latin1Slice(base, end);
    if (!p.high) return raw;
    if (!isUtf8(buf.subarray(base, end))) {
      // RFC 6120 4.9.3.22
      this.fault('unsupported-encoding', UTF8_ONLY, end);
      return undefined;
    }
    // U+FFFE and U+FFFF
    if (raw.includes('\xef\xbf\xbe') || raw.includes('\xef\xbf\xbf')) {
      this.fault('not-well-formed', 'U+FFFE and U+FFFF may not stand in XML.', end);
      return undefined;
    }
    return raw;
  }

  /** The root element's start tag is complete: [base, end). */
  private header(p: Progress, buf: Buffer, base: number, end: number): void {
    const raw = this.text(p, buf, base, end);
    if (raw === undefined) return;
    this.dropProgress();
    let read: ReturnType<typeof readHeader>;
    try {
      read = readHeader(raw);
    } catch (error) {
      if (!(error instanceof NamespaceFault)) throw error;
      this.fault('not-well-formed', error.message, end);
      return;
    }
    this.prefixes = read.prefixes;
    this.content = read.header.content;
    this.rootName = read.rootName;
    this.phase = STREAM;
    this.sink.onHeader(read.header);
    if (buf[end - 2] === SLASH && (this.phase as number) === STREAM) {
      this.stop();
      this.sink.onClose();
    }
  }

  /** A stanza is complete: [base, end). */
  private complete(p: Progress, buf: Buffer, base: number, end: number): void {
    const raw = this.text(p, buf, base, end);
    if (raw === undefined) return;
    const stanza = p.odd ? this.rewritten(raw) : makeStanza(p, raw, this.content);
    if (!stanza) return;
    giveBack(p);
    this.progress = undefined;
    this.sink.onStanza(stanza);
  }

  /** A stanza outside the canonical subset, written anew. */
  private rewritten(raw: string): Stanza | undefined {
    const { prefixes, limits } = this;
    try {
      return indexed(
        serialize(readTree(raw, prefixes.size > 0 ? prefixes : DEFAULT_PREFIXES), undefined, limits.bytes),
      );
    } catch (error) {
      if (error instanceof NamespaceFault) this.fault('not-well-formed', error.message, 0);
      // a long namespace, declared once and used a thousand times
      else if (error instanceof TooLong) {
        this.fault('policy-violation', `More than ${limits.bytes} bytes in one stanza without its prefixes.`, 0);
      } else throw error;
      return undefined;
    }
  }
}

const UTF8_ONLY = 'A stream is in UTF-8 (RFC 6120 11.6).';
