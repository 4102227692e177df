import { createReadStream } from 'node:fs';
import path from 'node:path';
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { Capture } from './capture.ts';
import type { Section } from '../../node/portability.ts';

export const PIE = 'urn:xmpp:pie:0';
const XINCLUDE = 'http://www.w3.org/2001/XInclude';
/** Files within files within files. */
const NESTING = 8;
/** Elements within each other: what a stanza can have at most (limits.depth), and the file around it. */
const DEEPEST = 1010;

/** What stands in a file of XEP-0227, in its order; `place` says where. */
export type Found = { readonly place: string; readonly line: number } & (
  | { readonly kind: 'host'; readonly jid: string }
  | { readonly kind: 'user'; readonly name: string; readonly password: string | undefined }
  | { readonly kind: 'user-end' }
  /** An element of a section of the user's data; without a text when it is too long to be any. */
  | { readonly kind: 'entry'; readonly section: Section; readonly xml: string | undefined }
  /** Something that nothing here understands, and that is passed over. */
  | { readonly kind: 'unknown'; readonly what: string }
  | { readonly kind: 'include'; readonly href: string }
  /** How much has been read. */
  | { readonly kind: 'progress'; readonly bytes: number }
);

/** A file that cannot be read, with its line. */
export class FileFault extends Error {}

/** Where an element stands: what its children can be. */
type Level = 'start' | 'server' | 'host' | 'user' | 'container';

/** Reads a file piece by piece; nothing of it is kept but the element at hand. Files that it includes are read in their place. */
export async function* read(
  file: string,
  sections: readonly Section[],
  level: Level = 'start',
  depth = 0,
): AsyncGenerator<Found> {
  const reader = new Reader(file, sections, level);
  const stream = createReadStream(file);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      reader.write(decode(decoder, chunk, reader));
      yield* reader.drain(depth);
      yield { kind: 'progress', bytes: chunk.length, place: '', line: 0 };
    }
    reader.write(decode(decoder, undefined, reader));
    reader.close();
    yield* reader.drain(depth);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new FileFault(code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read: ${code}`, {
      cause: error,
    });
  }
}

function decode(decoder: InstanceType<typeof TextDecoder>, chunk: Buffer | undefined, reader: Reader): string {
  try {
    return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
  } catch {
    throw new FileFault(`${reader.where}: not UTF-8 from here on`);
  }
}

class Reader {
  private readonly file: string;
  private readonly sections: readonly Section[];
  private readonly parser: SaxesParser<{ xmlns: true; position: true }>;
  private readonly levels: Level[];
  private readonly found: Found[] = [];
  /** The container at hand. */
  private section: Section | undefined;
  private capture: Capture | undefined;
  /** Line of the start tag at hand. */
  private line = 1;
  /** Levels below an element that is passed over. */
  private skipped = 0;
  private depth = 0;

  constructor(file: string, sections: readonly Section[], level: Level) {
    this.file = file;
    this.sections = sections;
    this.levels = [level];
    // XML 1.1 would let characters in that streams must not have (RFC 6120 11)
    const parser = new SaxesParser({ xmlns: true, position: true, defaultXMLVersion: '1.0', forceXMLVersion: true });
    this.parser = parser;
    parser.on('error', error => {
      throw new FileFault(`${this.where}: not well-formed XML: ${error.message.replace(/^\d+:\d+: /, '')}`);
    });
    parser.on('xmldecl', ({ encoding }) => {
      if (encoding && !/^utf-?8$/i.test(encoding))
        throw new FileFault(`${this.where}: not in UTF-8 but in ${encoding}`);
    });
    parser.on('doctype', () => {
      throw new FileFault(`${this.where}: a document type has no place in such a file`);
    });
    parser.on('opentagstart', () => {
      this.line = parser.line;
    });
    parser.on('opentag', tag => this.opened(tag as SaxesTagNS));
    parser.on('closetag', () => this.closed());
    const text = (content: string): void => this.capture?.text(content);
    parser.on('text', text);
    parser.on('cdata', text);
  }

  get where(): string {
    return `${this.file}:${this.parser.line}`;
  }

  write(text: string): void {
    this.parser.write(text);
  }

  close(): void {
    this.parser.close();
  }

  async *drain(depth: number): AsyncGenerator<Found> {
    for (const item of this.found.splice(0)) {
      if (item.kind !== 'include') {
        yield item;
        continue;
      }
      if (depth >= NESTING) throw new FileFault(`${item.place}: files are included by each other without end`);
      const level = item.href.slice(0, item.href.indexOf(' ')) as Level;
      yield* read(
        path.resolve(path.dirname(this.file), item.href.slice(level.length + 1)),
        this.sections,
        level,
        depth + 1,
      );
    }
  }

  private tell(item: DistributiveOmit<Found, 'place' | 'line'>): void {
    this.found.push({ ...item, place: `${this.file}:${this.line}`, line: this.line } as Found);
  }

  private opened(tag: SaxesTagNS): void {
    if (++this.depth > DEEPEST) throw new FileFault(`${this.where}: elements are nested too deep`);
    if (this.capture) {
      this.capture.open(tag);
      return;
    }
    if (this.skipped > 0) {
      this.skipped++;
      return;
    }
    const level = this.levels.at(-1)!;
    const { local, uri } = tag;
    const is = (name: string, xmlns = PIE): boolean => local === name && uri === xmlns;
    if (is('include', XINCLUDE) && level !== 'container' && level !== 'start') this.include(tag, level);
    else if (level === 'start') {
      if (!is('server-data'))
        throw new FileFault(
          `${this.file}:${this.line}: the file is none of XEP-0227: it begins with <${local} xmlns='${uri}'>`,
        );
      this.levels.push('server');
    } else if (level === 'server' && is('host')) {
      this.tell({ kind: 'host', jid: attribute(tag, 'jid') ?? '' });
      this.levels.push('host');
    } else if (level === 'host' && is('user')) {
      this.tell({ kind: 'user', name: attribute(tag, 'name') ?? '', password: attribute(tag, 'password') });
      this.levels.push('user');
    } else if (level === 'user' || level === 'container') this.ofUser(tag, level);
    else this.pass(tag);
  }

  private ofUser(tag: SaxesTagNS, level: Level): void {
    const { local, uri } = tag;
    if (level === 'user') {
      const container = this.sections.find(({ container: at }) => at?.name === local && at.xmlns === uri);
      if (container) {
        this.section = container;
        this.levels.push('container');
        return;
      }
    }
    const section = level === 'container' ? this.section! : this.sections.find(s => !s.container && isEntry(s, tag));
    if (section && isEntry(section, tag)) this.capture = new Capture(tag, section);
    else this.pass(tag);
  }

  private include(tag: SaxesTagNS, level: Level): void {
    const href = attribute(tag, 'href') ?? '';
    const file = pathOf(href);
    if (file === undefined || attribute(tag, 'parse') || attribute(tag, 'xpointer'))
      this.tell({ kind: 'unknown', what: `an inclusion of '${href}'` });
    else this.tell({ kind: 'include', href: `${level} ${file}` });
    this.skipped = 1;
  }

  private pass({ local, uri }: SaxesTagNS): void {
    this.tell({ kind: 'unknown', what: `<${local} xmlns='${uri}'>` });
    this.skipped = 1;
  }

  private closed(): void {
    this.depth--;
    const { capture } = this;
    if (capture) {
      if (!capture.close()) return;
      this.capture = undefined;
      this.tell({ kind: 'entry', section: capture.section, xml: capture.xml });
    } else if (this.skipped > 0) this.skipped--;
    else if (this.levels.pop() === 'user') this.tell({ kind: 'user-end' });
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function isEntry({ entry, container }: Section, { local, uri }: SaxesTagNS): boolean {
  return entry ? entry.name === local && entry.xmlns === uri : container !== undefined;
}

/** What a relative reference names; undefined for any other. */
function pathOf(href: string): string | undefined {
  if (href === '' || /^[a-z][a-z0-9+.-]*:/i.test(href)) return undefined;
  try {
    return decodeURIComponent(href);
  } catch {
    return undefined;
  }
}

function attribute(tag: SaxesTagNS, name: string): string | undefined {
  return tag.attributes[name]?.value;
}
