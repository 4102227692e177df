import { Element } from '@xmpp/xml';
import { escapeAttribute, escapeXml, fromWire, toWire, unescapeXml } from './escape.ts';
import { isQName } from './names.ts';

const XML_NS = 'http://www.w3.org/XML/1998/namespace';
const XMLNS_NS = 'http://www.w3.org/2000/xmlns/';

/** Prefixes in scope: '' is the default namespace. */
export type Prefixes = ReadonlyMap<string, string>;

/** Well-formed by XML 1.0, but not by Namespaces in XML 1.0. */
export class NamespaceFault extends Error {}

const ATTRIBUTE = /\s+([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y;
const TAG_NAME = /[^\s/>]+/y;

/**
 * Makes a tree of one element whose well-formedness the scanner has already established; never hand it anything else.
 * Prefixed names become plain ones with an xmlns of their own. The root always carries its xmlns.
 * Throws NamespaceFault for undeclared prefixes, attributes doubled by namespace, and reserved names abused.
 */
export function readTree(wire: string, outer: Prefixes): Element {
  const text = fromWire(wire);
  let root: Element | undefined;
  let parent: Element | undefined;
  const scopes: Prefixes[] = [outer];
  const namespaces: string[] = [];
  let i = 0;
  while (i < text.length) {
    const lt = text.indexOf('<', i);
    if (lt !== i) addText(parent, unescapeXml(normaliseLines(text.slice(i, lt))));
    i = lt + 1;
    if (text.startsWith('![CDATA[', i)) {
      const end = text.indexOf(']]>', i);
      addText(parent, normaliseLines(text.slice(i + 8, end)));
      i = end + 3;
    } else if (text[i] === '/') {
      i = text.indexOf('>', i) + 1;
      scopes.pop();
      namespaces.pop();
      parent = parent!.parent ?? undefined;
    } else {
      const tag = readStartTag(text, i);
      i = tag.end;
      const scope = declare(scopes.at(-1)!, tag.attrs);
      // 'xml' is bound for good and may not be made the default namespace
      const own = tag.name.startsWith('xml:');
      const { local, xmlns } = own ? { local: tag.name, xmlns: namespaces.at(-1) ?? '' } : resolve(tag.name, scope);
      const element = new Element(local);
      if (!parent || xmlns !== namespaces.at(-1)) element.attrs.xmlns = xmlns;
      copyAttributes(tag.attrs, scope, element);
      if (parent) {
        element.parent = parent;
        parent.children.push(element);
      } else root = element;
      if (!tag.empty) {
        parent = element;
        scopes.push(scope);
        namespaces.push(xmlns);
      }
    }
    if (root && scopes.length === 1) break;
  }
  return root!;
}

/** As readTree, with only a default namespace around it. */
export function parseElement(wire: string, xmlns: string): Element {
  return readTree(wire, new Map([['', xmlns]]));
}

export interface StartTag {
  name: string;
  attrs: [string, string][];
  empty: boolean;
  /** Behind the '>'. */
  end: number;
}

/** Reads the start tag whose name begins at `at`, in well-formed text. Values come unescaped and normalised (XML 1.0 3.3.3). */
export function readStartTag(text: string, at: number): StartTag {
  TAG_NAME.lastIndex = at;
  const name = TAG_NAME.exec(text)![0];
  const attrs: [string, string][] = [];
  let end = at + name.length;
  ATTRIBUTE.lastIndex = end;
  for (let m = ATTRIBUTE.exec(text); m; m = ATTRIBUTE.exec(text)) {
    end = ATTRIBUTE.lastIndex;
    attrs.push([m[1]!, unescapeXml(normaliseLines(m[2] ?? m[3]!).replace(/[\t\n]/g, ' '))]);
  }
  while (text[end] !== '>' && text[end] !== '/') end++;
  const empty = text[end] === '/';
  return { name, attrs, empty, end: end + (empty ? 2 : 1) };
}

/** The scope inside an element with these attributes. */
export function declare(outer: Prefixes, attrs: readonly [string, string][]): Prefixes {
  let scope: Map<string, string> | undefined;
  for (const [name, value] of attrs) {
    const prefix = name === 'xmlns' ? '' : name.startsWith('xmlns:') ? name.slice(6) : undefined;
    if (prefix === undefined) continue;
    const reserved = value === XMLNS_NS || prefix === 'xmlns' || (value === XML_NS) !== (prefix === 'xml');
    if (reserved || (prefix !== '' && value === '')) throw new NamespaceFault(`${name}='${value}' may not be declared`);
    scope ??= new Map(outer);
    scope.set(prefix, value);
  }
  return scope ?? outer;
}

/** Local name and namespace of an element's name. */
export function resolve(name: string, scope: Prefixes): { local: string; xmlns: string } {
  if (!isQName(name)) throw new NamespaceFault(`'${name}' is not a name`);
  const colon = name.indexOf(':');
  if (colon < 0) return { local: name, xmlns: scope.get('') ?? '' };
  return { local: name.slice(colon + 1), xmlns: prefixed(name.slice(0, colon), scope) };
}

function prefixed(prefix: string, scope: Prefixes): string {
  if (prefix === 'xml') return XML_NS;
  const xmlns = prefix === 'xmlns' ? undefined : scope.get(prefix);
  if (xmlns === undefined) throw new NamespaceFault(`the prefix '${prefix}' is not declared`);
  return xmlns;
}

function copyAttributes(attrs: readonly [string, string][], scope: Prefixes, element: Element): void {
  const seen = new Set<string>();
  for (const [name, value] of attrs) {
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue;
    if (!isQName(name)) throw new NamespaceFault(`'${name}' is not a name`);
    const colon = name.indexOf(':');
    if (colon >= 0) {
      const xmlns = prefixed(name.slice(0, colon), scope);
      const expanded = `${xmlns} ${name.slice(colon + 1)}`;
      if (seen.has(expanded)) throw new NamespaceFault(`the attribute '${name}' stands twice`);
      seen.add(expanded);
      if (xmlns === XML_NS) {
        element.attrs['xml:' + name.slice(colon + 1)] = value;
        continue;
      }
      element.attrs['xmlns:' + name.slice(0, colon)] = xmlns;
    }
    element.attrs[name] = value;
  }
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

/**
 * Serialises a tree to a canonical wire string: plain spacing, double quotes, only the five entities (and references for what a
 * parser would normalise away). `xmlns` is the namespace around it: the root's own is left out when it is the same.
 */
export function serialize(root: Element, xmlns?: string): string {
  return toWire(write(root, xmlns));
}

function write(root: Element, outer: string | undefined): string {
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
    else out += escapeXml(String(child));
  }
  return out;
}
