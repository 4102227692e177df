import { NS } from '../protocol/index.ts';
import {
  Scanner,
  type ScannerSink,
  type Stanza,
  type StreamHeader,
  wireAttribute,
  type XmlLimits,
} from '../xml/index.ts';

/** Why a BOSH session ends: XEP-0124 17.2. docs/adr/0018-bosh.md tells why the others of that table never happen. */
export type Terminal =
  | 'bad-request'
  | 'host-unknown'
  | 'improper-addressing'
  | 'internal-server-error'
  | 'item-not-found'
  | 'other-request'
  | 'policy-violation'
  | 'remote-connection-failed'
  | 'remote-stream-error'
  | 'system-shutdown';

/** What a request may hold. */
export interface BodyBounds {
  /** Bytes of the whole request. */
  readonly bytes: number;
  /** Of each element in it. */
  readonly element: XmlLimits;
}

/** The start tag of a request's <body/>: XEP-0124 6, XEP-0206 2. */
export interface BodyHead {
  /** Attributes by their names as written. */
  readonly attrs: ReadonlyMap<string, string>;
  readonly rid: number;
  readonly sid: string | undefined;
  /** An attribute in the namespace of XEP-0206. */
  xmpp(name: string): string | undefined;
}

/**
 * Reads the <body/> of a request while it comes, with the scanner that reads streams: the body is the root element, what it carries are
 * the stanzas. Every element is kept as the bytes of a frame, with a namespace of its own; nothing of them is passed on before the
 * request is whole, for a client whose connection broke sends it again.
 */
export class BodyReader implements ScannerSink {
  head: BodyHead | undefined;
  /** What makes it no request: nothing that follows is looked at. */
  fault: Terminal | undefined;
  readonly payloads: Buffer[] = [];
  /** Bytes of them. */
  size = 0;
  private readonly scanner: Scanner;
  private readonly bounds: (head: BodyHead) => BodyBounds;
  private most: number;
  private bytes = 0;
  private closed = false;
  /** The last byte that is no white space, and what came behind it: nothing but it may close the body. */
  private last: Buffer | undefined;

  /** `first` bounds what comes before the start tag is read; then `bounds` tells what holds for the rest. */
  constructor(first: BodyBounds, bounds: (head: BodyHead) => BodyBounds) {
    this.most = first.bytes;
    this.bounds = bounds;
    this.scanner = new Scanner(this, first.element);
  }

  push(chunk: Buffer): void {
    if (this.fault) return;
    let end = chunk.length;
    while (end > 0 && isSpace(chunk[end - 1]!)) end--;
    this.bytes += chunk.length;
    if (this.last) this.scanner.push(this.last);
    this.last = undefined;
    if (end > 0) {
      if (!this.closed) this.scanner.push(chunk, 0, end - 1);
      if (this.closed) this.refuse('bad-request');
      this.last = Buffer.from(chunk.subarray(end - 1));
    } else this.scanner.push(chunk);
    if (this.bytes > this.most) this.refuse('policy-violation');
  }

  /** All has come. */
  end(): void {
    if (this.fault) return;
    if (this.last) this.scanner.push(this.last);
    if (!this.closed) this.refuse('bad-request');
  }

  private refuse(condition: Terminal): void {
    this.fault ??= condition;
    this.payloads.length = 0;
    this.scanner.stop();
  }

  // ---- what the scanner finds -----------------------------------------------------------------------------------------------

  onHeader({ name, xmlns, attrs }: StreamHeader): void {
    const rid = numberOf(attrs.get('rid'), Number.MAX_SAFE_INTEGER);
    if (name !== 'body' || xmlns !== NS.httpbind || !rid) {
      this.refuse('bad-request');
      return;
    }
    this.head = { attrs, rid, sid: attrs.get('sid'), xmpp: attribute => ofNamespace(attrs, NS.xbosh, attribute) };
    const { bytes, element } = this.bounds(this.head);
    this.most = bytes;
    this.scanner.limits = element;
  }

  onStanza(stanza: Stanza): void {
    const frame = Buffer.from(asFrame(stanza), 'latin1');
    this.size += frame.length;
    this.payloads.push(frame);
  }

  onClose(): void {
    this.closed = true;
  }

  onFault({ condition }: { condition: string }): void {
    this.refuse(condition === 'policy-violation' ? 'policy-violation' : 'bad-request');
  }
}

/** XEP-0206 2: many clients let stanzas inherit the namespace of the body, and mean jabber:client. */
function asFrame(stanza: Stanza): string {
  const { raw, xmlns } = stanza;
  if (stanza.attr('xmlns') !== undefined) return raw;
  const name = /^<[^ \t\r\n/>]+/.exec(raw)![0];
  return (
    name + wireAttribute('xmlns', xmlns === NS.httpbind || xmlns === '' ? NS.client : xmlns) + raw.slice(name.length)
  );
}

function ofNamespace(attrs: ReadonlyMap<string, string>, xmlns: string, name: string): string | undefined {
  for (const [key, value] of attrs) {
    if (value !== xmlns || !key.startsWith('xmlns:')) continue;
    const found = attrs.get(`${key.slice(6)}:${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A number in digits, at most `most`; undefined when it is none. */
export function numberOf(text: string | undefined, most: number): number | undefined {
  if (text === undefined || !/^[0-9]{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** A response's <body/>, as a wire string. */
export function bodyWire(attributes: string, payloads = ''): string {
  return payloads === ''
    ? `<body xmlns='${NS.httpbind}'${attributes}/>`
    : `<body xmlns='${NS.httpbind}'${attributes}>${payloads}</body>`;
}

/** XEP-0124 17.2. */
export function terminalWire(condition: Terminal): string {
  return bodyWire(` type='terminate' condition='${condition}'`);
}

/** XEP-0124 17.3: the request is to be sent again, or was. */
export const RECOVERABLE = bodyWire(" type='error'");
