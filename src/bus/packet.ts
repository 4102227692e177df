import type { Jid } from '../jid/index.ts';
import { NS, type StanzaError } from '../protocol/index.ts';
import { type Element, escapeAttribute, indexed, type Kid, serialize, type Stanza, toWire } from '../xml/index.ts';
import { K_END, K_START } from '../xml/stanza.ts';
import { Empty, Markup } from './iq-table.ts';
import { Safety } from './safety.ts';
import type { SessionView } from './session-view.ts';

// Kinds of stanza
export const MESSAGE = 0;
export const PRESENCE = 1;
export const IQ = 2;
export const KINDS = ['message', 'presence', 'iq'] as const;
export type Kind = typeof MESSAGE | typeof PRESENCE | typeof IQ;

// Kinds of address, as the router sees them
export const NOWHERE = 0; // no 'to'
export const HOST = 1; // a domain served here, with or without a resource
export const BARE = 2; // an account of such a domain
export const FULL = 3; // a resource of such an account
export const FOREIGN = 4; // any other domain: a component's, a remote server's
export const ADDRESSES = ['nowhere', 'host', 'bare', 'full', 'foreign'] as const;
export type Address = 0 | 1 | 2 | 3 | 4;

const SPECIAL = /[&<>"'\x80-\uffff]/;

/** An address as it stands between quotes on the wire. */
export function wireJid(jid: Jid): string {
  return jid.escaped(quoted);
}

function quoted(full: string): string {
  return SPECIAL.test(full) ? toWire(escapeAttribute(full)) : full;
}

/**
 * A stanza on its way: what its sender wrote, the addresses that the server vouches for, and what modules add or take away.
 * The bytes of the stanza are spliced, never rebuilt.
 */
export class Packet {
  readonly kind: Kind;
  readonly stanza: Stanza;
  /** Value of 'type' as the RFC reads it: 'normal' for messages without one (or an unknown one), '' for available presence. */
  readonly type: string;
  readonly from: Jid;
  readonly to: Jid | undefined;
  /** Kind of the address in `to`; the router sets it. */
  address: Address = NOWHERE;
  /** The local session that sent it, if one did. */
  readonly sender: SessionView | undefined;
  /** The id that its recipient's account has given it (XEP-0359); set by the module stanza-id alone, which others ask. */
  stanzaId: string | undefined = undefined;
  /** Whether its recipient's archive has it, under `stanzaId`, or will once all is committed; set by the module archive alone. */
  archived = false;
  /** The number under which the module trace notes what becomes of it; 0 where nobody does. Set by that module alone. */
  story = 0;
  /** Whether its sender has been sent an error; the router's note. */
  bounced = false;
  private cuts: number[] | undefined;
  private extra = '';
  private rest: string | undefined;
  private holds: Promise<unknown>[] | undefined;
  private safe: Safety | undefined;
  private vouched = false;

  constructor(kind: Kind, stanza: Stanza, type: string, from: Jid, to: Jid | undefined, sender?: SessionView) {
    this.kind = kind;
    this.stanza = stanza;
    this.type = type;
    this.from = from;
    this.to = to;
    this.sender = sender;
  }

  /** A packet of the server's own making. The element's 'from' and 'to' are ignored. */
  static of(element: Element, from: Jid, to: Jid | undefined): Packet {
    return Packet.fromWire(serialize(element, NS.client), from, to);
  }

  /** As `of`, from canonical markup (a wire string) of the server's own. */
  static fromWire(wire: string, from: Jid, to: Jid | undefined, sender?: SessionView): Packet {
    const stanza = indexed(wire);
    const kind = KINDS.indexOf(stanza.name as 'message') as Kind;
    return new Packet(kind, stanza, stanzaType(kind, stanza.type), from, to, sender);
  }

  get id(): string | undefined {
    return this.stanza.id;
  }

  /** Whether there is a direct child of that name and namespace that no module has removed. */
  has(name: string, xmlns: string): boolean {
    return this.child(name, xmlns) !== undefined;
  }

  child(name: string, xmlns: string): Kid | undefined {
    const { stanza, cuts } = this;
    if (!cuts) return stanza.child(name, xmlns);
    for (const kid of stanza.children()) if (stanza.isKid(kid, name, xmlns) && !cuts.includes(kid)) return kid;
    return undefined;
  }

  /** Whether it is a message with a <body/>. */
  get hasBody(): boolean {
    return this.kind === MESSAGE && this.stanza.has('body', this.stanza.xmlns);
  }

  /** Whether it says nothing but a chat state (XEP-0085), which is of the moment and of no use later. */
  get isChatState(): boolean {
    const { stanza } = this;
    if (this.kind !== MESSAGE || this.type === 'error' || !stanza.hasNamespace(NS.chatStates)) return false;
    for (const kid of stanza.children()) {
      const xmlns = stanza.kidXmlns(kid);
      if (BESIDE.has(xmlns) || (xmlns === stanza.xmlns && stanza.kidName(kid) === 'thread')) continue;
      return false;
    }
    return true;
  }

  /** Whether it holds a processing hint (XEP-0334): 'store', 'no-store', 'no-copy', 'no-permanent-store'. */
  hint(name: string): boolean {
    return this.stanza.has(name, NS.hints);
  }

  /** Adds a child, as canonical markup (a wire string). */
  append(markup: string): void {
    this.extra += markup;
    this.rest = undefined;
  }

  appendElement(element: Element): void {
    this.append(serialize(element, NS.client));
  }

  /** Takes a direct child away. */
  remove(kid: Kid): void {
    (this.cuts ??= []).push(kid);
    this.cuts.sort((a, b) => a - b);
    this.rest = undefined;
  }

  /**
   * Keeps the acknowledgement of this stanza to its sender (XEP-0198) until the promise is settled, without keeping anything
   * else. A rejection is the business of who made the promise.
   */
  hold(until: Promise<unknown>): void {
    (this.holds ??= []).push(until);
  }

  /** Somebody was promised that it arrives, who is not its sender here: it comes from a session that has ended. */
  vouch(): void {
    this.vouched = true;
  }

  /** Whether somebody waits to hear that it is safe. */
  get isAwaited(): boolean {
    return this.vouched || this.sender?.acknowledged === true;
  }

  /** Whoever waits for its acknowledgement has it wait until the message is safe; undefined where nobody waits. */
  safety(): Safety | undefined {
    if (!this.safe && this.isAwaited && !this.isChatState) this.hold((this.safe = new Safety()).reached);
    return this.safe;
  }

  /** Settled when all that keeps it is, and what came to keep it meanwhile: who takes it next may. Undefined when nothing does. */
  get held(): Promise<unknown> | undefined {
    return this.holds && allOf(this.holds);
  }

  /** The same stanza to another address; what has been added stays. */
  readdressed(to: Jid | undefined, from: Jid = this.from): Packet {
    const copy = new Packet(this.kind, this.stanza, this.type, from, to, this.sender);
    copy.cuts = this.cuts?.slice();
    copy.extra = this.extra;
    copy.rest = this.rest;
    copy.story = this.story;
    return copy;
  }

  /** The stanza as it is written to a stream whose default namespace is the stanza's own (a wire string). */
  wire(): string {
    const rest = (this.rest ??= this.splice());
    const to = this.to ? `' to='${wireJid(this.to)}` : '';
    return `<${this.stanza.name} from='${wireJid(this.from)}${to}'${rest}`;
  }

  /** As `wire`, as it stands inside another namespace: a forwarded stanza (XEP-0297). */
  wireInside(): string {
    const rest = (this.rest ??= this.splice());
    const to = this.to ? `' to='${wireJid(this.to)}` : '';
    return `<${this.stanza.name} xmlns='${NS.client}' from='${wireJid(this.from)}${to}'${rest}`;
  }

  /** As a tree, with all that was added. Made anew at each call. */
  element(): Element {
    return indexed(this.wireInside()).element();
  }

  /** All behind the addresses: the other attributes and the content. */
  private splice(): string {
    const { stanza, cuts, extra } = this;
    const { raw, attrs, name } = stanza;
    let cursor = name.length + 1;
    let head = '';
    let lang = false;
    for (let k = 0; k < attrs.length; k += 4) {
      const start = attrs[k]!;
      const length = attrs[k + 1]! - start;
      if (length === 8 && raw.startsWith('xml:lang', start)) lang = true;
      const skip =
        (length === 2 && raw.startsWith('to', start)) ||
        (length === 4 && raw.startsWith('from', start)) ||
        (length === 5 && raw.startsWith('xmlns', start));
      if (!skip) continue;
      if (start - 1 > cursor) head += raw.slice(cursor, start - 1);
      cursor = attrs[k + 3]! + 1;
    }
    // RFC 6120 8.1.5: a stanza without a language has that of its sender's stream
    const ownLang = this.sender?.lang;
    if (ownLang && !lang && this.kind !== IQ) head += ` xml:lang='${toWire(escapeAttribute(ownLang))}'`;
    if (!cuts && extra === '') return head + raw.slice(cursor);

    let body = head;
    if (cuts) {
      const { kids } = stanza;
      for (const kid of cuts) {
        body += raw.slice(cursor, kids[kid + K_START]);
        cursor = kids[kid + K_END]!;
      }
    }
    if (extra === '') return body + raw.slice(cursor);
    if (
      raw.charCodeAt(raw.length - 2) === 0x2f &&
      stanza.kids.length === 0 &&
      raw.charCodeAt(stanza.headEnd) === 0x2f
    ) {
      return `${body}${raw.slice(cursor, stanza.headEnd)}>${extra}</${name}>`;
    }
    const close = raw.length - name.length - 3;
    return body + raw.slice(cursor, close) + extra + raw.slice(close);
  }

  /** The answer to an IQ request, as a wire string: RFC 6120 8.2.3. */
  resultWire(answer: Element | Markup | typeof Empty): string {
    const inner = answer === Empty ? '' : answer instanceof Markup ? answer.wire : serialize(answer, NS.client);
    return `<iq type='result'${this.answerAttributes()}${inner ? `>${inner}</iq>` : '/>'}`;
  }

  /** The stanza sent back with an error (RFC 6120 8.3.1), as a wire string. */
  errorWire(error: StanzaError): string {
    const { stanza } = this;
    // the original content goes back too, unless it is large, or better not said twice
    const whole = stanza.raw.length <= 4096 && !error.alone ? stanza.inner : '';
    const inner = error.content ? serialize(error.content, NS.client) : whole;
    const element = serialize(error.element(), NS.client);
    return `<${stanza.name} type='error'${this.answerAttributes()}>${inner}${element}</${stanza.name}>`;
  }

  private answerAttributes(): string {
    const id = this.stanza.id;
    const from = this.to ? ` from='${wireJid(this.to)}'` : '';
    const to = this.from.domain === '' ? '' : ` to='${wireJid(this.from)}'`;
    return `${id === undefined ? '' : ` id='${toWire(escapeAttribute(id))}'`}${from}${to}`;
  }
}

/** Chat states, and what may stand beside one without saying more. */
const BESIDE: ReadonlySet<string> = new Set([NS.chatStates, NS.hints, NS.stanzaIds, NS.delay]);

/** How the RFC reads a 'type' attribute; what may not be there at all is for the session to refuse. */
export function stanzaType(kind: Kind, type: string | undefined): string {
  if (kind === MESSAGE) {
    // RFC 6121 5.2.2: an unknown type is as none
    return type === 'chat' || type === 'groupchat' || type === 'headline' || type === 'error' ? type : 'normal';
  }
  return type ?? '';
}

function allOf(holds: readonly Promise<unknown>[]): Promise<unknown> {
  const { length } = holds;
  return Promise.allSettled(holds).then(() => (holds.length > length ? allOf(holds) : undefined));
}
