import type { Element } from '@xmpp/xml';
import { escapeAttribute, fromWire, toWire, unescapeXml } from './escape.ts';
import { parseElement, readStartTag } from './tree.ts';

/*
 * A stanza as it came from the scanner: canonical bytes (a wire string, see escape.ts) and an index into them. No tree is made
 * until a handler asks for one. `kids` has KID numbers a direct child, `attrs` four an attribute of the stanza's own start tag.
 */
export const KID = 6;
export const K_START = 0; // '<' of the child
export const K_NAME_END = 1; // its name is (start + 1, nameEnd)
export const K_NS_START = 2; // value of its xmlns attribute, or -1: the stanza's own namespace
export const K_NS_END = 3;
export const K_HEAD_END = 4; // behind the '>' of its start tag
export const K_END = 5; // behind its last '>'; as headEnd when it is <empty/>

/** A cheap hash of a child's name and namespace, by which most look-ups that find nothing end at once. */
export function kidHash(nameLength: number, firstByte: number, nsLength: number): number {
  return (nameLength * 5 + firstByte * 3 + nsLength) & 31;
}

/** The mask of a stanza with names or namespaces that hold a reference or a character above U+007F: all bits. */
export const UNPLAIN = -1;

/** A direct child of a stanza: a position in its index, valid as long as the stanza is. */
export type Kid = number;

export class Stanza {
  /** Element name: 'message', 'presence', 'iq', or that of a nonza ('r', 'a', 'auth', 'starttls', ...). */
  readonly name: string;
  /** Namespace of the element itself. */
  readonly xmlns: string;
  /** The whole element as it came, canonical, as a wire string. */
  readonly raw: string;
  readonly attrs: readonly number[];
  readonly kids: readonly number[];
  /** Position of the '>' or '/>' that ends the start tag. */
  readonly headEnd: number;
  private readonly mask: number;
  private tree: Element | undefined;

  constructor(
    name: string,
    xmlns: string,
    raw: string,
    attrs: readonly number[],
    kids: readonly number[],
    headEnd: number,
    mask: number,
  ) {
    this.name = name;
    this.xmlns = xmlns;
    this.raw = raw;
    this.attrs = attrs;
    this.kids = kids;
    this.headEnd = headEnd;
    this.mask = mask;
  }

  /** Value of an attribute of the stanza itself (a name of ASCII, with its prefix: 'xml:lang'), unescaped; undefined when absent. */
  attr(name: string): string | undefined {
    const at = this.attrAt(name);
    if (at < 0) return undefined;
    const value = this.raw.slice(this.attrs[at + 2]!, this.attrs[at + 3]!);
    return plain(value, 0, value.length) ? value : unescapeXml(fromWire(value));
  }

  /** Whether an attribute stands there with this very wire text, references and all: for comparing without a copy. */
  attrIs(name: string, text: string): boolean {
    const at = this.attrAt(name);
    if (at < 0) return false;
    const start = this.attrs[at + 2]!;
    return this.attrs[at + 3]! - start === text.length && this.raw.startsWith(text, start);
  }

  private attrAt(name: string): number {
    const { attrs, raw } = this;
    for (let k = 0; k < attrs.length; k += 4) {
      const start = attrs[k]!;
      if (attrs[k + 1]! - start === name.length && raw.startsWith(name, start)) return k;
    }
    return -1;
  }

  get id(): string | undefined {
    return this.attr('id');
  }

  get type(): string | undefined {
    return this.attr('type');
  }

  /** Number of direct child elements. */
  get childCount(): number {
    return this.kids.length / KID;
  }

  /** The first direct child of that name and namespace, both as they read. */
  child(name: string, xmlns: string): Kid | undefined {
    if ((this.mask & (1 << kidHash(name.length, name.charCodeAt(0), xmlns.length))) === 0) return undefined;
    const { kids } = this;
    for (let k = 0; k < kids.length; k += KID) if (this.isKid(k, name, xmlns)) return k;
    return undefined;
  }

  /** Whether there is a direct child of that name and namespace. */
  has(name: string, xmlns: string): boolean {
    return this.child(name, xmlns) !== undefined;
  }

  /** Whether there is a direct child of that namespace, whatever its name. */
  hasNamespace(xmlns: string): boolean {
    for (let k = 0; k < this.kids.length; k += KID) if (this.kidXmlnsIs(k, xmlns)) return true;
    return false;
  }

  /** All direct children, in order. */
  children(): readonly Kid[] {
    const { length } = this.kids;
    const out = new Array<Kid>(length / KID);
    for (let k = 0; k < length; k += KID) out[k / KID] = k;
    return out;
  }

  /** Whether a child is of that name and namespace. */
  isKid(k: Kid, name: string, xmlns: string): boolean {
    const { kids, raw } = this;
    if (this.mask === UNPLAIN) return this.kidName(k) === name && this.kidXmlns(k) === xmlns;
    const start = kids[k + K_START]! + 1;
    return kids[k + K_NAME_END]! - start === name.length && raw.startsWith(name, start) && this.kidXmlnsIs(k, xmlns);
  }

  private kidXmlnsIs(k: Kid, xmlns: string): boolean {
    const nsStart = this.kids[k + K_NS_START]!;
    if (nsStart < 0) return this.xmlns === xmlns;
    if (this.mask === UNPLAIN) return this.kidXmlns(k) === xmlns;
    return this.kids[k + K_NS_END]! - nsStart === xmlns.length && this.raw.startsWith(xmlns, nsStart);
  }

  kidName(k: Kid): string {
    return fromWire(this.raw.slice(this.kids[k + K_START]! + 1, this.kids[k + K_NAME_END]!));
  }

  kidXmlns(k: Kid): string {
    const nsStart = this.kids[k + K_NS_START]!;
    return nsStart < 0 ? this.xmlns : unescapeXml(fromWire(this.raw.slice(nsStart, this.kids[k + K_NS_END]!)));
  }

  /** A child's own markup, as a wire string. Its namespace may be inherited from the stanza. */
  kidRaw(k: Kid): string {
    return this.raw.slice(this.kids[k + K_START]!, this.kids[k + K_END]!);
  }

  /** A child as a tree. */
  kidElement(k: Kid): Element {
    return parseElement(this.kidRaw(k), this.xmlns);
  }

  /** Value of an attribute of a child, unescaped; undefined when absent, or no child. */
  kidAttr(k: Kid | undefined, name: string): string | undefined {
    if (k === undefined) return undefined;
    const { kids, raw } = this;
    const head = raw.slice(kids[k + K_START]!, kids[k + K_HEAD_END]!);
    // a name that is nowhere is no attribute
    if (!head.includes(name)) return undefined;
    return readStartTag(fromWire(head), 1).attrs.find(([each]) => each === name)?.[1];
  }

  /** The character data of a child, unescaped; that of elements inside it left out. Undefined for no child. */
  text(k: Kid | undefined): string | undefined {
    if (k === undefined) return undefined;
    const { kids, raw } = this;
    const headEnd = kids[k + K_HEAD_END]!;
    const end = kids[k + K_END]!;
    if (headEnd === end) return '';
    // its end tag: two slashes and brackets more than its name
    const inner = raw.slice(headEnd, end - (kids[k + K_NAME_END]! - kids[k + K_START]!) - 2);
    if (plain(inner, 0, inner.length)) return inner;
    if (!inner.includes('<')) return unescapeXml(fromWire(inner));
    return this.kidElement(k).getText();
  }

  /** Text of the first child of that name in the stanza's own namespace: `bodyOf = stanza.childText('body')`. */
  childText(name: string, xmlns: string = this.xmlns): string | undefined {
    return this.text(this.child(name, xmlns));
  }

  /** The whole stanza as an ltx tree, made at the first call. Do not change it: it is shared by all who ask. */
  element(): Element {
    this.tree ??= parseElement(this.raw, this.xmlns);
    return this.tree;
  }

  /** What stands between the start tag and the end tag, as a wire string. */
  get inner(): string {
    const { raw, headEnd } = this;
    return raw.charCodeAt(headEnd) === 0x2f ? '' : raw.slice(headEnd + 1, raw.lastIndexOf('</'));
  }

  /** The attributes but those named, as a wire string with a space before each. */
  attributesWithout(...names: readonly string[]): string {
    const { attrs, raw } = this;
    let out = '';
    for (let k = 0; k < attrs.length; k += 4) {
      const name = raw.slice(attrs[k]!, attrs[k + 1]!);
      if (!names.includes(name)) out += ' ' + raw.slice(attrs[k]!, attrs[k + 3]! + 1);
    }
    return out;
  }
}

/** Whether a part of a wire string is written as it reads. */
export function plain(wire: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const c = wire.charCodeAt(i);
    if (c === 0x26 || c === 0x3c || c >= 0x80) return false;
  }
  return true;
}

/** ` name='value'`, escaped, as a wire string. */
export function wireAttribute(name: string, value: string): string {
  return ` ${name}='${toWire(escapeAttribute(value))}'`;
}
