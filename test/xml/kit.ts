import { SaxesParser, type SaxesTagNS } from 'saxes';
import { type Element, Scanner, type ScannerSink, type Stanza, type XmlLimits } from '../../src/xml/index.ts';

export const LIMITS: XmlLimits = { bytes: 262_144, depth: 100, attributes: 100, elements: 10_000 };
export const STREAM_NS = 'http://etherx.jabber.org/streams';
export const XML_NS = 'http://www.w3.org/XML/1998/namespace';
export const XMLNS_NS = 'http://www.w3.org/2000/xmlns/';
/** A client's header; declares 'stream' and the default namespace. */
export const HEADER = `<stream:stream xmlns='jabber:client' xmlns:stream='${STREAM_NS}' to='example.org' version='1.0'>`;
export const END = '</stream:stream>';

/** What a scanner told its sink, in a form that can be compared. */
export interface Finding {
  readonly what: 'header' | 'stanza' | 'close' | 'fault';
  readonly [detail: string]: unknown;
}

/** Runs what a scanner finds into a list. */
export class Collector implements ScannerSink {
  readonly found: Finding[] = [];
  readonly stanzas: Stanza[] = [];

  onHeader({ name, xmlns, content, attrs }: Parameters<ScannerSink['onHeader']>[0]): void {
    this.found.push({ what: 'header', name, xmlns, content, attrs: Object.fromEntries(attrs) });
  }

  onStanza(stanza: Stanza): void {
    const { name, xmlns, raw, headEnd } = stanza;
    this.stanzas.push(stanza);
    this.found.push({ what: 'stanza', name, xmlns, raw, headEnd, attrs: [...stanza.attrs], kids: [...stanza.kids] });
  }

  onClose(): void {
    this.found.push({ what: 'close' });
  }

  onFault({ condition, text }: Parameters<ScannerSink['onFault']>[0]): void {
    this.found.push({ what: 'fault', condition, text });
  }

  /** The stream error, or undefined. */
  get condition(): string | undefined {
    return this.found.find(({ what }) => what === 'fault')?.condition as string | undefined;
  }
}

export interface ScanOptions {
  /** Positions at which the input is cut into chunks. */
  readonly cuts?: readonly number[];
  readonly limits?: Partial<XmlLimits>;
  readonly framed?: boolean;
}

/** Scans a whole input, cut as said. Each chunk is overwritten when `push` returns, as a socket's buffer would be. */
export function scan(input: string | Uint8Array, { cuts = [], limits, framed = false }: ScanOptions = {}): Collector {
  const bytes = Buffer.from(input);
  const collector = new Collector();
  const scanner = new Scanner(collector, { ...LIMITS, ...limits }, framed);
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    const chunk = Buffer.from(bytes.subarray(from, to));
    scanner.push(chunk);
    chunk.fill(0x3c);
    from = to;
  }
  return collector;
}

/** As `scan`, of what stands inside a client's stream; the header's finding is left out. */
export function scanInside(content: string | Uint8Array, options: ScanOptions = {}): Collector {
  const header = Buffer.byteLength(HEADER);
  const cuts = [header, ...(options.cuts ?? []).map(cut => cut + header)];
  const collector = scan(Buffer.concat([Buffer.from(HEADER), Buffer.from(content)]), { ...options, cuts });
  collector.found.shift();
  return collector;
}

/** The one stanza that the content must be. */
export function stanzaOf(content: string | Uint8Array): Stanza {
  const { found, stanzas } = scanInside(content);
  if (stanzas.length !== 1 || found.length !== 1) throw new Error(`not one stanza: ${JSON.stringify(found)}`);
  return stanzas[0]!;
}

/** Every way to cut a text of that many bytes in two. */
export function twoWays(length: number): number[][] {
  return Array.from({ length: length - 1 }, (_, k) => [k + 1]);
}

/** One byte a chunk. */
export function byteByByte(length: number): number[] {
  return Array.from({ length: length - 1 }, (_, k) => k + 1);
}

// ---- trees that can be compared -----------------------------------------------------------------------------------------------

/** An element by its expanded name; attributes by theirs, without declarations; adjacent texts are one. */
export interface Tree {
  readonly name: string;
  readonly attrs: Record<string, string>;
  readonly children: (Tree | string)[];
}

function expanded(uri: string, local: string): string {
  return uri === '' ? local : `{${uri}}${local}`;
}

function addText(children: (Tree | string)[], text: string): void {
  const last = children.length - 1;
  if (typeof children[last] === 'string') children[last] += text;
  else children.push(text);
}

/** The tree of an Element that stands in a namespace. */
export function treeOf(element: Element, around = 'jabber:client'): Tree {
  const own = element.attrs.xmlns ?? around;
  const colon = element.name.indexOf(':');
  const name = colon < 0 ? expanded(own, element.name) : expanded(XML_NS, element.name.slice(colon + 1));
  const attrs: Record<string, string> = {};
  for (const [key, value] of Object.entries(element.attrs)) {
    if (key === 'xmlns' || key.startsWith('xmlns:')) continue;
    const at = key.indexOf(':');
    const prefix = key.slice(0, Math.max(at, 0));
    const uri = at < 0 ? '' : prefix === 'xml' ? XML_NS : element.attrs[`xmlns:${prefix}`]!;
    attrs[expanded(uri, key.slice(at + 1))] = value!;
  }
  const children: (Tree | string)[] = [];
  for (const child of element.children) {
    if (typeof child === 'string') addText(children, child);
    else children.push(treeOf(child, own));
  }
  return { name, attrs, children };
}

/** What saxes makes of a text: trees of the elements at the given depth, or its first complaint. */
export interface Reading {
  readonly trees: Tree[];
  readonly error: string | undefined;
  /** What RFC 6120 11.1 forbids and saxes allows: comments, instructions, a DTD. */
  readonly restricted: boolean;
  /** Whether anything but white space stands between the stanzas. */
  readonly textBetween: boolean;
}

export function saxesReads(text: string, depth = 1): Reading {
  const parser = new SaxesParser({ xmlns: true });
  const trees: Tree[] = [];
  const open: Tree[] = [];
  let error: string | undefined;
  let restricted = false;
  let textBetween = false;
  parser.on('error', problem => (error ??= problem.message));
  parser.on('comment', () => (restricted = true));
  parser.on('processinginstruction', () => (restricted = true));
  parser.on('doctype', () => (restricted = true));
  parser.on('opentag', (tag: SaxesTagNS) => {
    const attrs: Record<string, string> = {};
    for (const { uri, local, value } of Object.values(tag.attributes)) {
      if (uri !== XMLNS_NS) attrs[expanded(uri, local)] = value;
    }
    const tree: Tree = { name: expanded(tag.uri, tag.local), attrs, children: [] };
    if (open.length > depth) open.at(-1)!.children.push(tree);
    else if (open.length === depth) trees.push(tree);
    open.push(tree);
  });
  parser.on('closetag', () => void open.pop());
  const characters = (characters: string): void => {
    if (open.length > depth) addText(open.at(-1)!.children, characters);
    else if (/[^ \t\r\n]/.test(characters)) textBetween = true;
  };
  parser.on('text', characters);
  parser.on('cdata', data => {
    if (open.length <= depth) textBetween = true;
    else if (data !== '') characters(data);
  });
  try {
    parser.write(text).close();
  } catch (thrown) {
    error ??= String(thrown);
  }
  return { trees, error, restricted, textBetween };
}

/** Whether there is a namespace that begins or ends with white space, which saxes trims; no standard says so. */
export function padded(text: string): boolean {
  for (const [, double, single] of text.matchAll(/xmlns(?::[^=\s]*)?\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    const uri = (double ?? single)!.replace(/&#(?:x[9A]|13);/g, ' ');
    if (uri !== uri.trim()) return true;
  }
  return false;
}

/** As saxesReads, of what stands inside a client's stream. */
export function saxesReadsInside(content: string): Reading {
  return saxesReads(HEADER + content + END);
}

/** Reads a wire string with saxes as a peer would that gets it in its stream. */
export function peerReads(wire: string): Tree {
  const { trees, error } = saxesReadsInside(Buffer.from(wire, 'latin1').toString());
  if (error !== undefined || trees.length !== 1) throw new Error(`${error}: ${wire}`);
  return trees[0]!;
}

// ---- properties ---------------------------------------------------------------------------------------------------------------

const { POSTHOUSE_FUZZ_RUNS: runs, POSTHOUSE_FUZZ_SEED: chosen } = process.env;
/** Of all properties in this run; shown in the titles of the tests. */
export const SEED = chosen ? Number(chosen) : Math.trunc(Math.random() * 2 ** 31);

/** Parameters of a fast-check property: few runs by default, more for those who ask by POSTHOUSE_FUZZ_RUNS. */
export function fuzz(usual: number): { numRuns: number; seed: number } {
  return { numRuns: runs ? Number(runs) : usual, seed: SEED };
}
