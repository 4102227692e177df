/* What is discovered of rooms: XEP-0045 6.4, 6.5, 7.12. What of those in them is asked goes to them (iqs.ts). */
import type { DiscoInfo, IqRequest, ServiceDisco } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS, refuse, type StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { roomInfo } from './config-form.ts';
import { configFeatures } from './config.ts';
import { MUC_ADMIN, MUC_STABLE_ID, SELF_PING } from './namespaces.ts';
import { NO_ROOM, type Room } from './room.ts';
import { shownOf } from './telling.ts';

const NICK_NODE = 'x-roomuser-item';
const TRAFFIC_NODE = `${NS.muc}#traffic`; // 18.1.1

export const SERVICE_FEATURES: readonly string[] = [NS.muc, MUC_STABLE_ID, NS.occupantIds];
const ROOM_FEATURES: readonly string[] = [...SERVICE_FEATURES, SELF_PING, MUC_ADMIN, NS.stanzaIds];

/** Occupants in a list of items. */
const MOST_ITEMS = 1000;

/** Whether somebody may know that there is the room: 17.2 for those that are being made. */
export function isThere(room: Room, from: Jid): boolean {
  if (!room.state) return false;
  return !room.state.locked || room.actor(from).affiliation === 'owner';
}

/** `features`: what others have to say of a room. */
export function roomDisco(roomOf: (jid: Jid) => Room, features: (room: Room) => readonly string[]): ServiceDisco {
  return {
    info: (request, node) => {
      const room = roomOf(request.to);
      return room.do(() => info(room, request, node, features));
    },
    items: (request, node) => {
      const room = roomOf(request.to);
      return room.do(() => items(room, request, node));
    },
  };
}

function info(
  room: Room,
  { from }: IqRequest,
  node: string | undefined,
  features: (room: Room) => readonly string[],
): DiscoInfo | Element | StanzaError {
  if (!isThere(room, from)) return NO_ROOM;
  const { config, subject, avatarHashes, hats } = room.state!;
  if (node === NICK_NODE) return reservedNick(room, from);
  // nothing is kept back
  if (node === TRAFFIC_NODE) return refuse('service-unavailable');
  if (node !== undefined) return refuse('item-not-found');
  // 16.4: what is talked about is nobody's business who could not enter
  const mayKnow = !(config.membersOnly || config.passwordProtected) || room.occupants.of(from).length > 0;
  const form = roomInfo(config, {
    subject: mayKnow ? (subject?.text ?? '') : '',
    occupants: room.occupants.size,
    avatarHashes,
    hatsHash: hats.hash,
  });
  return {
    identities: [{ category: 'conference', type: 'text', name: config.name || room.jid.local }],
    features: [...ROOM_FEATURES, ...configFeatures(config), ...features(room)],
    forms: [form],
  };
}

/** 7.12. */
function reservedNick(room: Room, from: Jid): Element {
  const name = room.state!.affiliations.nickOf(from);
  const identity = name !== '' && xml('identity', { category: 'conference', type: 'text', name });
  return xml('query', { xmlns: NS.discoInfo, node: NICK_NODE }, identity);
}

/** 6.5: who is in a room is told to those who are in it; where the operator wants it, to all who could enter and see. */
function items(room: Room, { from }: IqRequest, node: string | undefined): readonly Element[] | StanzaError {
  if (!isThere(room, from)) return NO_ROOM;
  if (node !== undefined) return refuse('item-not-found');
  if (!room.occupants.client(from) && !isOpenTo(room, from)) return [];
  const told: Element[] = [];
  for (const { address } of shownOf(room)) {
    if (told.length === MOST_ITEMS) break;
    told.push(xml('item', { jid: address.full }));
  }
  return told;
}

function isOpenTo(room: Room, from: Jid): boolean {
  if (!room.house.limits(room.host).occupantsShown || room.affiliationOf(from) === 'outcast') return false;
  const { listed, membersOnly, passwordProtected } = room.config;
  return listed && !membersOnly && !passwordProtected;
}
