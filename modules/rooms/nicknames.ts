import type { Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { refuse, StanzaError } from '../../src/protocol/index.ts';
import type { Room } from './room.ts';

/** Why nobody can have a nickname: XEP-0045 7.2.1, 17.1. */
export function nickProblem(nick: string, most: number): StanzaError | undefined {
  if (nick === '') return refuse('jid-malformed', 'A room is entered with a nickname.');
  if (!/[^\p{Z}\p{Cf}]/u.test(nick)) return refuse('not-acceptable', 'A nickname is something that can be seen.');
  if ([...nick].length > most) return refuse('not-acceptable', `A nickname has at most ${most} characters.`);
  return undefined;
}

/** Why somebody cannot have a nickname in a room: XEP-0045 7.2.9, 7.6, 7.12. */
export function nickRefusal(room: Room, who: Jid, nick: string): StanzaError | undefined {
  const { affiliations, config } = room.state!;
  const own = affiliations.nickOf(who);
  if (config.lockNicks && own !== '' && own !== nick) {
    const text = `In this room your nickname is '${own}'.`;
    return new StanzaError('not-acceptable', { type: 'cancel', text });
  }
  const user = room.occupants.like(nick);
  if (user && user.account.bare !== who.bare) return refuse('conflict', 'Somebody in the room has that nickname.');
  // one account, two nicknames that look the same
  if (user && user.nick !== nick && user.sessions.some(({ jid }) => jid.full !== who.full))
    return refuse('conflict', 'You are in the room under a nickname like that.');
  const holder = affiliations.holderOf(nick);
  return holder && holder.bare !== who.bare ? refuse('conflict', 'That nickname is reserved.') : undefined;
}

/** Whether the nickname that a client asked for was prepared into another (RFC 7622 3.4). */
export function isModified({ stanza, to }: Packet): boolean {
  const raw = stanza.attr('to') ?? '';
  return raw.includes('/') && raw.slice(raw.indexOf('/') + 1) !== to!.resource;
}
