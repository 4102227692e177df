/** What the house uses of ltx through @xmpp/xml; neither package brings types of its own. */
declare module '@xmpp/xml' {
  export type Node = Element | string;
  export type Attributes = Record<string, string | number | undefined | null>;

  export class Element {
    constructor(name: string, attrs?: Attributes | string);
    name: string;
    parent: Element | null;
    children: Node[];
    attrs: Record<string, string | undefined>;
    is(name: string, xmlns?: string): boolean;
    getName(): string;
    getNS(): string | undefined;
    getChild(name: string, xmlns?: string): Element | undefined;
    getChildren(name: string, xmlns?: string): Element[];
    getChildElements(): Element[];
    getChildText(name: string, xmlns?: string): string | null;
    getText(): string;
    append(...nodes: (Node | number)[]): void;
    remove(el: Element): this;
    clone(): Element;
    toString(): string;
  }

  /** The streaming parser that clients use; the house compares with it in a bench and never lets it near the network. */
  export class Parser {
    on(event: 'start' | 'element', listener: (element: Element) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    write(text: string): void;
  }

  export function xml(
    name: string,
    attrs?: Attributes | string | null,
    ...children: (Node | number | undefined | null | false | (Node | undefined | null | false)[])[]
  ): Element;
  export default xml;
}

/** Methods that Node's Buffer has had from the first; toString() ends up in them after some dispatching. */
interface Buffer {
  latin1Slice(start?: number, end?: number): string;
  latin1Write(text: string, offset?: number, length?: number): number;
  utf8Slice(start?: number, end?: number): string;
}
