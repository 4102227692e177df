import { fromWire } from './escape.ts';
import { type Prefixes, Scope } from './namespaces.ts';
import { readStartTag } from './tree.ts';

/** The root element of a stream. Attributes by their names as written, unescaped. */
export interface StreamHeader {
  readonly name: string;
  readonly xmlns: string;
  /** The default namespace inside the stream: that of its stanzas. */
  readonly content: string;
  readonly attrs: ReadonlyMap<string, string>;
}

export const NO_PREFIXES: Prefixes = new Map();

/** Reads a stream header that is well-formed; throws NamespaceFault when it is not by namespaces. */
export function readHeader(wire: string): { header: StreamHeader; rootName: string; prefixes: Prefixes } {
  const tag = readStartTag(fromWire(wire), 1);
  const scope = new Scope(NO_PREFIXES);
  scope.enter(tag.attrs);
  const { local, xmlns } = scope.element(tag.name);
  scope.attributes(tag.attrs, () => {});
  const { prefixes } = scope;
  const header = { name: local, xmlns, content: prefixes.get('') ?? '', attrs: new Map(tag.attrs) };
  return { header, rootName: wire.slice(1, 1 + Buffer.byteLength(tag.name)), prefixes };
}

/** Longest XML declaration read. */
export const DECLARATION_BYTES = 160;
const DECLARATION =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.[0-9]+"|'1\.[0-9]+')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][\w.-]*)"|'([A-Za-z][\w.-]*)'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>$/;

/** The encoding that an XML declaration names, UTF-8 when it names none; undefined for what is no declaration (XML 1.0 2.8). */
export function declaredEncoding(declaration: string): string | undefined {
  const match = DECLARATION.exec(declaration);
  return match ? (match[1] ?? match[2] ?? 'UTF-8').toUpperCase() : undefined;
}
