import { isName, isQName } from './names.ts';

export const XML_NS = 'http://www.w3.org/XML/1998/namespace';
const XMLNS_NS = 'http://www.w3.org/2000/xmlns/';

/** Prefixes in scope: '' is the default namespace. */
export type Prefixes = ReadonlyMap<string, string>;

/** Attributes as they stand in a tag, in order, unescaped. */
export type Attributes = readonly (readonly [name: string, value: string])[];

/** Well-formed by XML 1.0, but not by Namespaces in XML 1.0. */
export class NamespaceFault extends Error {}

/** The prefix that an attribute declares, '' for the default namespace; undefined for an ordinary attribute. */
export function declaredPrefix(name: string): string | undefined {
  if (!name.startsWith('xmlns')) return undefined;
  return name.length === 5 ? '' : name[5] === ':' ? name.slice(6) : undefined;
}

/** The prefixes in scope on the way through a tree: going in and out costs what the tag at hand declares, however many there are. */
export class Scope {
  private readonly bound: Map<string, string>;
  private readonly undo: [prefix: string, before: string | undefined][] = [];
  private readonly marks: number[] = [];

  constructor(outer: Prefixes) {
    this.bound = new Map(outer);
  }

  get depth(): number {
    return this.marks.length;
  }

  /**
   * Goes into an element that has no prefix and declares none: its namespace, which is `xmlns` where that is declared. Throws
   * NamespaceFault for what may not be.
   */
  enterPlain(xmlns: string | undefined): string {
    const { bound, undo } = this;
    this.marks.push(undo.length);
    const around = bound.get('');
    if (xmlns === undefined || xmlns === around) return around ?? '';
    if (xmlns === XMLNS_NS || xmlns === XML_NS) throw new NamespaceFault(`xmlns='${xmlns}' may not be declared`);
    undo.push(['', around]);
    bound.set('', xmlns);
    return xmlns;
  }

  /** Goes into an element. Throws NamespaceFault for what may not be declared. */
  enter(attrs: Attributes): void {
    const { bound, undo } = this;
    this.marks.push(undo.length);
    for (const [name, value] of attrs) {
      const prefix = declaredPrefix(name);
      if (prefix === undefined) continue;
      // Namespaces in XML 1.0 3: two prefixes and two namespaces belong to each other for good
      const reserved = value === XMLNS_NS || prefix === 'xmlns' || (value === XML_NS) !== (prefix === 'xml');
      if (reserved || (prefix !== '' && (value === '' || !isName(prefix)))) {
        throw new NamespaceFault(`${name}='${value}' may not be declared`);
      }
      undo.push([prefix, bound.get(prefix)]);
      bound.set(prefix, value);
    }
  }

  leave(): void {
    const { bound, undo } = this;
    const mark = this.marks.pop()!;
    while (undo.length > mark) {
      const [prefix, before] = undo.pop()!;
      if (before === undefined) bound.delete(prefix);
      else bound.set(prefix, before);
    }
  }

  /** Local name and namespace of an element. Throws NamespaceFault for a name that is none, and for an unknown prefix. */
  element(name: string): { prefix: string; local: string; xmlns: string } {
    if (!isQName(name)) throw new NamespaceFault(`'${name}' is not a name`);
    const colon = name.indexOf(':');
    if (colon < 0) return { prefix: '', local: name, xmlns: this.bound.get('') ?? '' };
    const prefix = name.slice(0, colon);
    return { prefix, local: name.slice(colon + 1), xmlns: this.namespace(prefix) };
  }

  private namespace(prefix: string): string {
    if (prefix === 'xml') return XML_NS;
    const xmlns = prefix === 'xmlns' ? undefined : this.bound.get(prefix);
    if (xmlns === undefined) throw new NamespaceFault(`the prefix '${prefix}' is not declared`);
    return xmlns;
  }

  /**
   * Calls back for each attribute that is no declaration, with its prefix ('' for none) and namespace. Throws NamespaceFault as
   * `element`, and when two are the same by namespace (Namespaces in XML 1.0 6.3).
   */
  attributes(attrs: Attributes, found: (name: string, value: string, prefix: string, xmlns: string) => void): void {
    let seen: Set<string> | undefined;
    for (const [name, value] of attrs) {
      if (declaredPrefix(name) !== undefined) continue;
      if (!isQName(name)) throw new NamespaceFault(`'${name}' is not a name`);
      const colon = name.indexOf(':');
      if (colon < 0) {
        found(name, value, '', '');
        continue;
      }
      const prefix = name.slice(0, colon);
      const xmlns = this.namespace(prefix);
      const expanded = `${xmlns} ${name.slice(colon + 1)}`;
      seen ??= new Set();
      if (seen.has(expanded)) throw new NamespaceFault(`the attribute '${name}' stands twice`);
      seen.add(expanded);
      found(name, value, prefix, xmlns);
    }
  }

  /** The prefixes in scope. */
  get prefixes(): Prefixes {
    return this.bound;
  }
}
