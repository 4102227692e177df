/* The avatar of a room, in its vCard: XEP-0486. */
import { createHash } from 'node:crypto';
import { andThen, type Answer, type Answered, Empty, type IqRequest, type MaybePromise } from '../../src/api/index.ts';
import { NS, refuse } from '../../src/protocol/index.ts';
import { type Element, fromWire, parseElement, serialize, toWire, xml } from '../../src/xml/index.ts';
import { tellCodes } from './configuring.ts';
import type { RoomIq } from './hooks.ts';
import type { Room } from './room.ts';

/** Pictures of one card; all of them show the same (XEP-0486 6.1). */
const MOST_PICTURES = 10;

/** 4.3. */
function card(room: Room): MaybePromise<Answer> {
  return andThen(room.house.store.card(room.state!.id), kept =>
    kept === undefined ? xml('vCard', { xmlns: NS.vcard }) : parseElement(toWire(kept), NS.vcard),
  );
}

/** 4.1. */
async function setCard(room: Room, { payload, from }: IqRequest): Promise<Answer | typeof Answered> {
  if (room.actor(from).affiliation !== 'owner') return refuse('forbidden', 'Only owners set the avatar of the room.');
  const state = room.state!;
  const wire = serialize(payload, NS.vcard);
  const { cardSize } = room.house.limits(room.host);
  if (wire.length > cardSize) return refuse('not-acceptable', `The vCard of a room has at most ${cardSize} bytes.`);
  const hashes = hashesOf(payload);
  if (!hashes) return refuse('bad-request', `There are at most ${MOST_PICTURES} pictures, in Base64.`);
  const isEmpty = payload.getChildElements().length === 0;
  await room.house.store.setCard(state.id, isEmpty ? undefined : fromWire(wire), hashes);
  state.avatarHashes = hashes;
  await tellCodes(room, [104]);
  return Empty;
}

/** XEP-0153 4.1: the SHA-1 of each picture. */
function hashesOf(card: Element): string[] | undefined {
  const pictures = card
    .getChildren('PHOTO', NS.vcard)
    .map(photo => photo.getChildText('BINVAL', NS.vcard)?.replace(/\s+/g, '') ?? '')
    .filter(text => text !== '');
  if (pictures.length > MOST_PICTURES || pictures.some(text => !/^[A-Za-z0-9+/]+={0,2}$/.test(text))) return undefined;
  return pictures.map(text => createHash('sha1').update(Buffer.from(text, 'base64')).digest('hex'));
}

export const avatarIqs: readonly RoomIq[] = [
  { xmlns: NS.vcard, name: 'vCard', type: 'get', answer: card },
  { xmlns: NS.vcard, name: 'vCard', type: 'set', answer: setCard },
];
