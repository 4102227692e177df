/* What the presence of an occupant looks like: XEP-0045 7.2.2, 17.3. Whom it is sent to says telling.ts. */
import { Packet } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { escapeXml, toWire, wireAttribute } from '../../src/xml/index.ts';
import { HATS } from './namespaces.ts';
import type { Occupant, OccupantSession, PresenceParts } from './occupants.ts';
import type { Affiliation, Role } from './roles.ts';

/** Who did something to an occupant, as others are told: by nickname where they are in the room. */
export interface ActorName {
  readonly nick: string | undefined;
  /** Only for those who may see addresses. */
  readonly jid: string;
}

/** What the room says with a presence. */
export interface Remarks {
  /** Status codes, without 110. */
  readonly codes?: readonly number[];
  readonly actor?: ActorName | undefined;
  readonly reason?: string | undefined;
  /** The nickname that it has from now on. */
  readonly nick?: string;
  /** Instead of the occupant's own. */
  readonly role?: Role;
  readonly affiliation?: Affiliation;
  /** More for the <x/>, a wire string: <destroy/>. */
  readonly more?: string;
  /** Attributes and content of the presence itself, where they are not those of the occupant. */
  readonly parts?: PresenceParts;
}

/** What only a room says of somebody: nobody gives themselves a role, an id or a hat. */
const OF_ROOMS: ReadonlySet<string> = new Set([NS.muc, NS.mucUser, NS.occupantIds, HATS]);

/** What others see of a presence that a client sent: XEP-0045 17.3, XEP-0421 4. */
export function partsOf({ stanza, sender }: Packet): PresenceParts {
  let content = '';
  for (const kid of stanza.children()) {
    const xmlns = stanza.kidXmlns(kid);
    if (!OF_ROOMS.has(xmlns)) content += stanza.kidRaw(kid);
  }
  const lang = stanza.attr('xml:lang') ?? sender?.lang;
  return { attributes: lang === undefined ? '' : wireAttribute('xml:lang', lang), content };
}

export const NO_PARTS: PresenceParts = { attributes: '', content: '' };

/** Of an occupant that is there, without more: for who enters, and for changes of availability. */
export function availablePresence(occupant: Occupant, open: boolean): Packet {
  const { made } = occupant;
  const key = open ? 'open' : 'hidden';
  return (made[key] ??= presencePacket(occupant, occupant.shown, '', open, false, {}));
}

/**
 * A presence from an occupant, without a recipient. `open`: for those who see addresses; `self`: for its own clients. `id` is that of the
 * stanza that it answers, if it does.
 */
export function presencePacket(
  occupant: Occupant,
  session: OccupantSession,
  type: '' | 'unavailable',
  open: boolean,
  self: boolean,
  remarks: Remarks,
  id?: string,
): Packet {
  const { attributes, content } = remarks.parts ?? (type === '' ? session.shown : NO_PARTS);
  const head = (type && ` type='${type}'`) + (id === undefined ? '' : wireAttribute('id', id)) + attributes;
  const x = `<x xmlns='${NS.mucUser}'>${item(occupant, session, type, open, self, remarks)}${codes(remarks, self)}</x>`;
  const occupantId = occupant.id === '' ? '' : occupantIdElement(occupant.id);
  const hats = type === '' ? occupant.hats : '';
  return Packet.fromWire(`<presence${head}>${content}${x}${hats}${occupantId}</presence>`, occupant.address, undefined);
}

function item(
  occupant: Occupant,
  session: OccupantSession,
  type: '' | 'unavailable',
  open: boolean,
  self: boolean,
  { role, affiliation, nick, actor, reason, more = '' }: Remarks,
): string {
  const standing = role ?? (type === '' ? occupant.role : 'none');
  const attributes =
    ` affiliation='${affiliation ?? occupant.affiliation}' role='${standing}'` +
    (open || self ? wireAttribute('jid', session.jid.full) : '') +
    (nick === undefined ? '' : wireAttribute('nick', nick));
  const inner = (actor ? actorElement(actor, open) : '') + (reason ? textElement('reason', reason) : '');
  return (inner === '' ? `<item${attributes}/>` : `<item${attributes}>${inner}</item>`) + more;
}

function actorElement({ nick, jid }: ActorName, open: boolean): string {
  const attributes = (nick === undefined ? '' : wireAttribute('nick', nick)) + (open ? wireAttribute('jid', jid) : '');
  return attributes === '' ? '' : `<actor${attributes}/>`;
}

function codes({ codes = [] }: Remarks, self: boolean): string {
  const all = self ? [...codes, 110].sort((a, b) => a - b) : codes;
  return all.map(code => `<status code='${code}'/>`).join('');
}

/** XEP-0421, as a wire string. */
export function occupantIdElement(id: string): string {
  return `<occupant-id xmlns='${NS.occupantIds}' id='${id}'/>`;
}

/** `<name>text</name>` as a wire string. */
export function textElement(name: string, text: string): string {
  return toWire(`<${name}>${escapeXml(text)}</${name}>`);
}
