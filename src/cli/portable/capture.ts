import type { SaxesTagNS } from 'saxes';
import type { Section } from '../../node/portability.ts';
import { escapeAttribute, escapeXml } from '../../xml/index.ts';

/** Characters of an entry; what is longer would be refused by whoever keeps it. */
const LONGEST = 4 * 1024 * 1024;
const XML = 'http://www.w3.org/XML/1998/namespace';

/** An element that is written anew while it is read, with every namespace declared where it is used. */
export class Capture {
  readonly section: Section;
  private parts: string[] = [];
  private length = 0;
  private readonly elements: { name: string; uri: string }[] = [];

  constructor(tag: SaxesTagNS, section: Section) {
    this.section = section;
    this.open(tag);
  }

  /** Undefined when it is too long. */
  get xml(): string | undefined {
    return this.length > LONGEST ? undefined : this.parts.join('');
  }

  open({ local, uri, attributes }: SaxesTagNS): void {
    let out = `<${local}`;
    if (uri !== this.elements.at(-1)?.uri) out += ` xmlns='${escapeAttribute(uri)}'`;
    const declared = new Set<string>();
    for (const { prefix, local: name, uri: space, value } of Object.values(attributes)) {
      if (name === 'xmlns' || prefix === 'xmlns') continue;
      if (prefix === '' || space === XML) {
        out += ` ${prefix === '' ? name : `xml:${name}`}='${escapeAttribute(value)}'`;
        continue;
      }
      if (!declared.has(prefix)) out += ` xmlns:${prefix}='${escapeAttribute(space)}'`;
      declared.add(prefix);
      out += ` ${prefix}:${name}='${escapeAttribute(value)}'`;
    }
    this.elements.push({ name: local, uri });
    this.add(`${out}>`);
  }

  text(content: string): void {
    this.add(escapeXml(content));
  }

  /** Whether the element itself is closed. */
  close(): boolean {
    this.add(`</${this.elements.pop()!.name}>`);
    return this.elements.length === 0;
  }

  private add(text: string): void {
    this.length += text.length;
    if (this.length > LONGEST) this.parts = [];
    else this.parts.push(text);
  }
}
