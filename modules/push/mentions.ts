/* Whether a message in a group is for somebody in particular: by a reference (XEP-0372), an answer (XEP-0461), a name in its text. */
import type { Jid } from '../../src/jid/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { REFERENCE, REPLY } from './namespaces.ts';
import type { Stanza } from '../../src/xml/index.ts';

/** What a message says of whom it is for, read once for all members of a group. */
export interface Addressing {
  /** Bare addresses of people, and full ones of occupants, in lower case where the address has it so. */
  readonly addresses: ReadonlySet<string>;
  /** In lower case. */
  readonly text: string;
}

/** Who somebody is in a group. */
export interface Person {
  readonly account: Jid;
  readonly room: Jid;
  /** Names that he goes by there. */
  readonly nicks: readonly string[];
}

const NONE: ReadonlySet<string> = new Set();
const WORD = /[\p{L}\p{N}_]/u;
/** Written without spaces between words. */
const UNSPACED =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

export function addressingOf(stanza: Stanza, body: string): Addressing {
  const text = body.toLowerCase();
  if (!stanza.hasNamespace(REFERENCE) && !stanza.hasNamespace(REPLY)) return { addresses: NONE, text };
  const addresses = new Set<string>();
  for (const kid of stanza.children()) {
    if (stanza.isKid(kid, 'reference', REFERENCE)) {
      const { type, uri } = stanza.kidElement(kid).attrs as { type?: string; uri?: string };
      if (type === 'mention' && uri) add(addresses, addressOf(uri));
    } else if (stanza.isKid(kid, 'reply', REPLY)) add(addresses, stanza.kidElement(kid).attrs.to);
  }
  return { addresses, text };
}

function add(addresses: Set<string>, text: string | undefined): void {
  const jid = text === undefined ? undefined : parseJid(text);
  if (jid) addresses.add(jid.full);
}

/** The address of an XMPP URI (RFC 5122). */
function addressOf(uri: string): string | undefined {
  const path = /^xmpp:(?:\/\/[^/]*\/)?([^?#]*)/i.exec(uri)?.[1];
  if (path === undefined) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

export function isMentioned({ addresses, text }: Addressing, { account, room, nicks }: Person): boolean {
  if (addresses.has(account.bare) || nicks.some(nick => addresses.has(`${room.bare}/${nick}`))) return true;
  return says(text, account.bare) || nicks.some(nick => says(text, nick.toLowerCase()));
}

/** Whether a text has a name in it, as a word of its own. */
function says(text: string, name: string): boolean {
  if (name === '') return false;
  const [first, last] = [firstOf(name), lastOf(name)];
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const [before, behind] = [lastOf(text.slice(0, at)), firstOf(text.slice(at + name.length))];
    if (!joins(before, first) && !joins(last, behind)) return true;
  }
  return false;
}

/** Whether two characters beside each other are of one word. */
function joins(one: string, other: string): boolean {
  return WORD.test(one) && WORD.test(other) && !UNSPACED.test(one) && !UNSPACED.test(other);
}

const firstOf = (text: string): string => (text === '' ? '' : String.fromCodePoint(text.codePointAt(0)!));

function lastOf(text: string): string {
  const low = text.charCodeAt(text.length - 1);
  return text.slice(low >= 0xdc00 && low <= 0xdfff ? -2 : -1);
}
