import { advance, BROKEN } from './element.ts';
import { fromWire, unescapeXml } from './escape.ts';
import type { XmlLimits } from './fault.ts';
import { giveBack, type Progress, taken, takeProgress } from './progress.ts';
import { K_NAME_END, K_NS_END, K_NS_START, K_START, KID, plain, Stanza, UNPLAIN } from './stanza.ts';

/** Makes a Stanza of a complete element in canonical form. `content` is the namespace that it inherits. */
export function makeStanza(p: Progress, raw: string, content: string): Stanza {
  const { nsStart, nsEnd, nameEnd } = p;
  return new Stanza(
    nameOf(raw, nameEnd),
    nsStart < 0 ? content : namespaceOf(raw, nsStart, nsEnd),
    raw,
    p.topAttrs,
    taken(p.kids, p.kidCount),
    p.headEnd,
    p.high || p.escaped ? maskOf(p, raw) : p.kidMask,
  );
}

/** Names and namespaces that are written in another way than they read cannot be found by the way they are written. */
function maskOf(p: Progress, raw: string): number {
  const { kids, kidCount } = p;
  for (let k = 0; k < kidCount; k += KID) {
    const nsStart = kids[k + K_NS_START]!;
    const named = plain(raw, kids[k + K_START]! + 1, kids[k + K_NAME_END]!);
    if (!named || (nsStart >= 0 && !plain(raw, nsStart, kids[k + K_NS_END]!))) return UNPLAIN;
  }
  return p.nsStart >= 0 && !plain(raw, p.nsStart, p.nsEnd) ? UNPLAIN : p.kidMask;
}

/** Names and namespaces of nearly all stanzas are the same few strings, so that comparing them costs nothing. */
function nameOf(raw: string, end: number): string {
  if (end === 8 && spelt(raw, 1, 'message')) return 'message';
  if (end === 3 && spelt(raw, 1, 'iq')) return 'iq';
  if (end === 9 && spelt(raw, 1, 'presence')) return 'presence';
  return fromWire(raw.slice(1, end));
}

function namespaceOf(raw: string, start: number, end: number): string {
  if (end - start === 13 && spelt(raw, start, 'jabber:client')) return 'jabber:client';
  if (end - start === 13 && spelt(raw, start, 'urn:xmpp:sm:3')) return 'urn:xmpp:sm:3';
  return unescapeXml(fromWire(raw.slice(start, end)));
}

function spelt(raw: string, at: number, word: string): boolean {
  for (let k = 0; k < word.length; k++) if (raw.charCodeAt(at + k) !== word.charCodeAt(k)) return false;
  return true;
}

const UNBOUNDED: XmlLimits = { bytes: 2 ** 30, depth: 2 ** 30, attributes: 2 ** 28, elements: 2 ** 30 };
let scratch = Buffer.allocUnsafeSlow(4096);

/** Makes a Stanza of canonical markup that the house itself wrote: a wire string. Throws when it is not well-formed. */
export function indexed(wire: string): Stanza {
  const { length } = wire;
  if (length > scratch.length) scratch = Buffer.allocUnsafeSlow(Math.min(length * 2, MOST_SCRATCH));
  const buf = length > scratch.length ? Buffer.from(wire, 'latin1') : scratch;
  if (buf === scratch) buf.latin1Write(wire, 0, length);
  const p = takeProgress();
  const end = wire.startsWith('<') ? advance(p, buf, 0, length, UNBOUNDED, 0, false) : BROKEN;
  if (end !== length) throw new Error(`not canonical: ${p.fault?.text ?? 'not one element'}`);
  const stanza = makeStanza(p, wire, '');
  giveBack(p);
  return stanza;
}

const MOST_SCRATCH = 65_536;
