import { spells } from './classes.ts';
import type { XmlFault } from './fault.ts';
import { hasName, reserved } from './shortcuts.ts';
import { K_END, K_HEAD_END, K_NAME_END, K_NS_END, K_NS_START, K_START, KID, kidHash } from './stanza.ts';

const NAMES = 64;
const ATTRS = 64;
const KIDS = 16 * KID;

/**
 * What is known of an element that is not complete yet. Positions count from its '<', so that its bytes may be moved. Taken from a
 * pool for the time between an element's first and last byte: a silent stream holds none.
 */
export class Progress {
  state = 0; // see element.ts
  resume = 0; // state that a reference goes back to
  pos = 0; // all before it has been looked at
  mark = 0; // start of the token at hand
  colon = -1; // in the name at hand
  reference = 0; // behind its '&'
  quote = 0;
  elements = 0;
  depth = 0;
  /** Whether there is a byte above 0x7f. */
  high = false;
  /** Whether there is a reference in an attribute value. */
  escaped = false;
  /** Whether it is outside the canonical subset. */
  odd = false;
  /** Start and end of each open element's name. */
  names = new Int32Array(NAMES);
  // Name of the tag at hand
  tagStart = 0;
  tagEnd = 0;
  /** Its attributes: name start, name end, value start, value end. */
  attrs = new Int32Array(ATTRS);
  attrCount = 0;
  xmlns = -1; // index in attrs
  private seen = 0; // which hashes of names are in attrs
  // of the element itself
  topAttrs: number[] = NONE;
  nameEnd = 0;
  headEnd = 0;
  nsStart = -1;
  nsEnd = -1;
  // of its children, see stanza.ts
  kids = new Int32Array(KIDS);
  kidCount = 0;
  kidMask = 0;
  fault: XmlFault | undefined;
  /** Name of the root element around it, which may not begin again. */
  root = '';

  begin(): void {
    this.state = this.pos = this.mark = this.elements = this.depth = this.kidCount = this.kidMask = 0;
    this.colon = -1;
    this.high = this.escaped = this.odd = false;
    this.fault = undefined;
    this.root = '';
  }

  /** A start tag's name, [start, end), is complete. */
  openTag(start: number, end: number): void {
    this.tagStart = start;
    this.tagEnd = end;
    this.attrCount = this.seen = 0;
    this.xmlns = -1;
  }

  /** An attribute's name, [start, end), is complete. False when the tag has it already. */
  openAttribute(buf: Uint8Array, base: number, start: number, end: number): boolean {
    const { attrCount } = this;
    if (attrCount === this.attrs.length) this.attrs = grown(this.attrs);
    const { attrs } = this;
    const length = end - start;
    const hash = 1 << ((length * 7 + buf[base + start]!) & 31);
    if ((this.seen & hash) !== 0 && hasName(attrs, attrCount, buf, base, base + start, length)) return false;
    this.seen |= hash;
    if (length === 5 && spells(buf, base + start, 'xmlns')) this.xmlns = attrCount;
    attrs[attrCount] = start;
    attrs[attrCount + 1] = end;
    return true;
  }

  /** The same attribute's value is complete. */
  closeAttribute(buf: Uint8Array, base: number, start: number, end: number): void {
    const { attrs, attrCount } = this;
    attrs[attrCount + 2] = start;
    attrs[attrCount + 3] = end;
    // for the tree to decide
    if (attrCount === this.xmlns && reserved(buf, base + start, base + end)) this.odd = true;
    this.attrCount = attrCount + 4;
  }

  /** Its start tag is complete and leaves it open. */
  descend(depth: number): void {
    const at = depth * 2;
    if (at === this.names.length) this.names = grown(this.names);
    this.names[at] = this.tagStart;
    this.names[at + 1] = this.tagEnd;
  }

  /** The start tag of the element itself is complete; `end` is behind its '>'. */
  topOpened(end: number, empty: boolean): void {
    const { attrs, attrCount, xmlns } = this;
    this.nameEnd = this.tagEnd;
    this.topAttrs = taken(attrs, attrCount);
    this.headEnd = empty ? end - 2 : end - 1;
    this.nsStart = xmlns < 0 ? -1 : attrs[xmlns + 2]!;
    this.nsEnd = xmlns < 0 ? -1 : attrs[xmlns + 3]!;
  }

  /** Whether the element itself has the name of the root. */
  isRoot(buf: Uint8Array, base: number): boolean {
    const { nameEnd, root } = this;
    return root !== '' && nameEnd - 1 === root.length && spells(buf, base + 1, root);
  }

  /** The start tag of a direct child is complete. `around` is the length of the namespace that it inherits. */
  kidOpened(buf: Uint8Array, base: number, end: number, around: number): void {
    const { attrs, xmlns, kidCount, tagStart, tagEnd } = this;
    if (kidCount === this.kids.length) this.kids = grown(this.kids);
    const { kids } = this;
    const nsStart = xmlns < 0 ? -1 : attrs[xmlns + 2]!;
    const nsEnd = xmlns < 0 ? -1 : attrs[xmlns + 3]!;
    kids[kidCount + K_START] = tagStart - 1;
    kids[kidCount + K_NAME_END] = tagEnd;
    kids[kidCount + K_NS_START] = nsStart;
    kids[kidCount + K_NS_END] = nsEnd;
    kids[kidCount + K_HEAD_END] = end;
    kids[kidCount + K_END] = end;
    this.kidCount = kidCount + KID;
    const inherited = this.nsStart < 0 ? around : this.nsEnd - this.nsStart;
    const nsLength = nsStart < 0 ? inherited : nsEnd - nsStart;
    this.kidMask |= 1 << kidHash(tagEnd - tagStart, buf[base + tagStart]!, nsLength);
  }

  kidClosed(end: number): void {
    this.kids[this.kidCount - KID + K_END] = end;
  }
}

const NONE: number[] = [];

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const next = new Int32Array(array.length * 2);
  next.set(array);
  return next;
}

/** The first numbers of a scratch array, as an array of its own. */
export function taken(scratch: Int32Array, count: number): number[] {
  if (count === 0) return NONE;
  const out = new Array<number>(count);
  for (let i = 0; i < count; i++) out[i] = scratch[i]!;
  return out;
}

const POOLED = 64;
const pool: Progress[] = [];

export function takeProgress(): Progress {
  const progress = pool.pop() ?? new Progress();
  progress.begin();
  return progress;
}

/** Only as many are kept as are in use at once on a busy day, and none that a huge stanza has made large. */
export function giveBack(progress: Progress): void {
  const ordinary =
    progress.kids.length <= KIDS * 4 && progress.attrs.length <= ATTRS * 4 && progress.names.length <= NAMES * 4;
  progress.topAttrs = NONE;
  if (ordinary && pool.length < POOLED) pool.push(progress);
}
