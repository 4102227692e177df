import { Element } from '@xmpp/xml';
import { EQUALS, GT, SLASH } from './classes.ts';
import { escapeAttribute, escapeText, fromWire, toWire, unescapeXml } from './escape.ts';
import { type Prefixes, Scope, XML_NS } from './namespaces.ts';

/**
 * Makes a tree of one element whose well-formedness the scanner has already established; never hand it anything else.
 * Prefixed names become plain ones with an xmlns of their own. The root always carries its xmlns.
 * Throws NamespaceFault for names that are none, undeclared prefixes, attributes doubled by namespace, and reserved names abused.
 */
export function readTree(wire: string, outer: Prefixes): Element {
  const text = fromWire(wire);
  const literal = !OTHERWISE.test(text);
  const scope = new Scope(outer);
  const namespaces: string[] = []; // of the elements that are open
  let root: Element | undefined;
  let parent: Element | undefined;
  let i = 0;
  do {
    const lt = text.indexOf('<', i);
    if (lt !== i) {
      const data = text.slice(i, lt);
      addText(parent, literal ? data : unescapeXml(normaliseLines(data)));
    }
    i = lt + 1;
    const c = text.charCodeAt(i);
    if (c === BANG) {
      const end = text.indexOf(']]>', i);
      addText(parent, normaliseLines(text.slice(i + CDATA, end)));
      i = end + 3;
    } else if (c === SLASH) {
      i = text.indexOf('>', i) + 1;
      scope.leave();
      namespaces.pop();
      parent = parent!.parent ?? undefined;
    } else {
      const tag = readStartTag(text, i, literal);
      i = tag.end;
      const around = namespaces.at(-1);
      const element = tag.plain ? plainElement(tag, scope, around) : prefixedElement(tag, scope, around);
      if (parent) {
        element.parent = parent;
        parent.children.push(element);
      } else root = element;
      if (tag.empty) scope.leave();
      else {
        parent = element;
        namespaces.push(element.attrs.xmlns ?? around!);
      }
    }
  } while (scope.depth > 0);
  return root!;
}

/** Goes into a tag without prefixes: its element, with an xmlns where that is another than around it. */
function plainElement(tag: StartTag, scope: Scope, around: string | undefined): Element {
  const element = new Element(tag.name);
  const xmlns = scope.enterPlain(tag.xmlns);
  if (xmlns !== around) element.attrs.xmlns = xmlns;
  for (const [name, value] of tag.attrs) if (name !== 'xmlns') set(element, name, value);
  return element;
}

/** As plainElement, with any names. */
function prefixedElement(tag: StartTag, scope: Scope, around: string | undefined): Element {
  scope.enter(tag.attrs);
  const name = scope.element(tag.name);
  // 'xml' is bound for good, and its namespace may not be made the default one
  const bound = name.prefix === 'xml';
  const xmlns = bound ? (around ?? '') : name.xmlns;
  const element = new Element(bound ? tag.name : name.local);
  if (xmlns !== around) element.attrs.xmlns = xmlns;
  scope.attributes(tag.attrs, (name, value, prefix, xmlns) => {
    if (prefix !== '' && xmlns !== XML_NS) set(element, `xmlns:${prefix}`, xmlns);
    set(element, name, value);
  });
  return element;
}

/** What is read in another way than it is written: references, and ends of lines and white space in values. */
const OTHERWISE = /[&\r\n\t]/;
const BANG = 0x21;
const COLON = 0x3a;
const CDATA = '![CDATA['.length;

/** As readTree, with only a default namespace around it. */
export function parseElement(wire: string, xmlns: string): Element {
  return readTree(wire, new Map([['', xmlns]]));
}

function set(element: Element, name: string, value: string): void {
  if (name !== '__proto__') element.attrs[name] = value;
  else Object.defineProperty(element.attrs, name, { value, enumerable: true, configurable: true, writable: true });
}

export interface StartTag {
  name: string;
  attrs: [string, string][];
  empty: boolean;
  /** Whether no name in it has a prefix, or a letter that is not ASCII. */
  plain: boolean;
  /** Value of 'xmlns'. */
  xmlns: string | undefined;
  /** Behind the '>'. */
  end: number;
}

/**
 * Reads the start tag whose name begins at `at`, in well-formed text. Values come unescaped and normalised (XML 1.0 3.3.3); `literal`:
 * nothing in the text needs that.
 */
export function readStartTag(text: string, at: number, literal = false): StartTag {
  let i = at;
  let plain = true;
  let xmlns: string | undefined;
  let c = text.charCodeAt(i);
  for (; !endsName(c); c = text.charCodeAt(++i)) if (c === COLON || c > 0x7f) plain = false;
  const name = text.slice(at, i);
  const attrs: [string, string][] = [];
  while (true) {
    i = skipSpace(text, i);
    c = text.charCodeAt(i);
    if (c === GT) return { name, attrs, empty: false, plain, xmlns, end: i + 1 };
    if (c === SLASH) return { name, attrs, empty: true, plain, xmlns, end: i + 2 };
    const start = i;
    for (; !endsName(c); c = text.charCodeAt(++i)) if (c === COLON || c > 0x7f) plain = false;
    const key = text.slice(start, i);
    i = skipSpace(text, i);
    // behind the '='
    i = skipSpace(text, i + 1);
    const end = text.indexOf(text[i]!, i + 1);
    let value = text.slice(i + 1, end);
    if (!literal) value = unescapeXml(normaliseLines(value).replace(/[\t\n]/g, ' '));
    attrs.push([key, value]);
    if (key === 'xmlns') xmlns = value;
    i = end + 1;
  }
}

const isSpace = (c: number): boolean => c === 0x20 || c === 0x0a || c === 0x09 || c === 0x0d;
const endsName = (c: number): boolean => c === GT || c === SLASH || c === EQUALS || isSpace(c);

function skipSpace(text: string, at: number): number {
  let i = at;
  while (isSpace(text.charCodeAt(i))) i++;
  return i;
}

function addText(parent: Element | undefined, text: string): void {
  if (!parent || text === '') return;
  const last = parent.children.length - 1;
  if (typeof parent.children[last] === 'string') parent.children[last] += text;
  else parent.children.push(text);
}

/** XML 1.0 2.11. */
function normaliseLines(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/** What a tree serialises to is longer than it may be. */
export class TooLong extends Error {}

/**
 * Serialises a tree to a canonical wire string: plain spacing, double quotes, only the five entities (and references for what a
 * parser would normalise away). `xmlns` is the namespace around it: the root's own is left out when it is the same.
 * Throws TooLong as soon as it would be longer than `most` bytes.
 */
export function serialize(root: Element, xmlns?: string, most = Infinity): string {
  const wire = toWire(write(root, xmlns, most));
  if (wire.length > most) throw new TooLong();
  return wire;
}

function write(root: Element, outer: string | undefined, most: number): string {
  let out = '';
  // an explicit stack: a tree built from the network is as deep as the limits allow
  const stack: { element: Element; next: number; xmlns: string | undefined }[] = [];
  const open = (element: Element, around: string | undefined) => {
    out += '<' + element.name;
    const { attrs } = element;
    for (const name in attrs) {
      const value = attrs[name];
      if (value === undefined || value === null || (name === 'xmlns' && value === around)) continue;
      out += ` ${name}="${escapeAttribute(String(value))}"`;
    }
    if (element.children.length === 0) out += '/>';
    else {
      out += '>';
      stack.push({ element, next: 0, xmlns: attrs.xmlns ?? around });
    }
    if (out.length > most) throw new TooLong();
  };
  open(root, outer);
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    if (top.next === top.element.children.length) {
      out += `</${top.element.name}>`;
      stack.pop();
      continue;
    }
    const child = top.element.children[top.next++];
    if (typeof child === 'object') open(child, top.xmlns);
    else out += escapeText(String(child));
  }
  return out;
}
