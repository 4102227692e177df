import { parseJid } from '../../src/jid/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';

export const NATIVE = 'urn:xmpp:bookmarks:1'; // XEP-0402
export const OLD = 'storage:bookmarks'; // XEP-0048

/** A bookmark of a room, in whichever form. */
export interface Conference {
  /** The address of the room. */
  readonly jid: string;
  readonly name: string | undefined;
  readonly autojoin: boolean;
  readonly nick: string | undefined;
  readonly password: string | undefined;
}

/** By the address of the room: XEP-0402 3. */
export function ofItem(id: string, conference: Element): Conference | undefined {
  return conference.name === 'conference' ? read(id, conference) : undefined;
}

/** XEP-0048 2.1: the rooms of a list, each once; what has no address is none. */
export function ofStorage(storage: Element): Map<string, Conference> {
  const all = new Map<string, Conference>();
  for (const element of storage.getChildren('conference')) {
    const conference = read(String(element.attrs.jid ?? ''), element);
    if (conference) all.set(conference.jid, conference);
  }
  return all;
}

function read(address: string, { attrs, ...rest }: Element): Conference | undefined {
  const jid = parseJid(address)?.full;
  if (jid === undefined) return undefined;
  const { name, autojoin } = attrs as Record<string, string | undefined>;
  const text = (child: string): string | undefined => {
    const found = rest.children.find(one => typeof one === 'object' && one.name === child) as Element | undefined;
    return found?.getText() || undefined;
  };
  return {
    jid,
    name: name || undefined,
    autojoin: autojoin === '1' || autojoin === 'true',
    nick: text('nick'),
    password: text('password'),
  };
}

export function isSame(a: Conference | undefined, b: Conference | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.jid === b.jid &&
    a.name === b.name &&
    a.autojoin === b.autojoin &&
    a.nick === b.nick &&
    a.password === b.password
  );
}

/** As an item of its own; `before` is the one that it takes the place of, of which what only XEP-0402 knows stays. */
export function toItem({ name, autojoin, nick, password }: Conference, before: Element | undefined): Element {
  return xml(
    'conference',
    { xmlns: NATIVE, name, autojoin: autojoin ? 'true' : undefined },
    nick !== undefined && xml('nick', {}, nick),
    password !== undefined && xml('password', {}, password),
    before?.getChild('extensions'),
  );
}

/** As a list; of `before` what is no room stays (XEP-0048 2.2: addresses of pages). */
export function toStorage(conferences: Iterable<Conference>, before: Element | undefined): Element {
  return xml(
    'storage',
    { xmlns: OLD },
    ...[...conferences].map(({ jid, name, autojoin, nick, password }) =>
      xml(
        'conference',
        { jid, name, autojoin: autojoin ? 'true' : undefined },
        nick !== undefined && xml('nick', {}, nick),
        password !== undefined && xml('password', {}, password),
      ),
    ),
    ...(before?.getChildElements().filter(({ name }) => name !== 'conference') ?? []),
  );
}
