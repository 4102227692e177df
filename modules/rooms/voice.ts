/* Asking for voice, and giving it: XEP-0045 7.13, 8.6. */
import { type MaybePromise, Packet } from '../../src/api/index.ts';
import { defineForm, field, formTypeOf, NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { serialize, xml } from '../../src/xml/index.ts';
import { actorName, giveRole } from './granting.ts';
import type { RoomMessage } from './hooks.ts';
import { MUC_REQUEST } from './namespaces.ts';
import type { Occupant, OccupantSession } from './occupants.ts';
import { refusedRole } from './roles.ts';
import type { Room } from './room.ts';
import { tellEach } from './telling.ts';

/** How long somebody waits before asking again, in ms. */
const PAUSE = 60_000;

const requestForm = defineForm(MUC_REQUEST, {
  role: field.choice('muc#role', { participant: 'Participant' }, { label: 'The role that is asked for' }),
  jid: field.jid('muc#jid', { label: 'Address' }),
  nick: field.text('muc#roomnick', { label: 'Nickname' }),
  allow: field.boolean('muc#request_allow', { label: 'Give voice to this person?' }),
});

/** When occupants asked last, in milliseconds since 1970. */
const asked = new WeakMap<Occupant, number>();

/** A form that asks for voice, or with which a moderator answers. */
export const voiceCame: RoomMessage = (room, packet) => {
  const { stanza } = packet;
  const kid = stanza.child('x', NS.dataForms);
  const x = kid === undefined ? undefined : stanza.kidElement(kid);
  if (!x || formTypeOf(x) !== MUC_REQUEST) return false;
  // XEP-0004 3.1: nothing is to be done
  if (x.attrs.type === 'cancel') return true;
  const client = room.occupants.client(packet.from);
  if (!client) {
    room.error(packet, 'not-acceptable', 'Only who is in the room asks for voice and gives it.');
    return true;
  }
  const values = requestForm.read(x);
  const done =
    values instanceof StanzaError
      ? values
      : values.allow === undefined
        ? ask(room, client)
        : answer(room, client, values.allow, values.jid?.full, values.nick);
  if (done instanceof StanzaError) room.refuse(packet, done);
  return done instanceof Promise ? done.then(() => true) : true;
};

/** 7.13, 8.6: all moderators get a form. */
function ask(room: Room, { occupant, jid }: OccupantSession): MaybePromise<void> | StanzaError {
  if (occupant.role !== 'visitor') return refuse('bad-request', 'You have voice.');
  if (!room.config.voiceRequests) return refuse('forbidden', 'In this room nobody asks for voice.');
  const now = Date.now();
  if (now - (asked.get(occupant) ?? 0) < PAUSE) return refuse('resource-constraint', 'You have asked just now.');
  asked.set(occupant, now);
  const form = requestForm.form(
    { role: 'participant', jid, nick: occupant.nick, allow: false },
    { title: 'Request for voice', instructions: 'Somebody in the room has no voice, and asks for it.' },
  );
  const packet = Packet.fromWire(serialize(xml('message', {}, form), NS.client), room.jid, undefined);
  return tellEach(room.occupants.sessions(), to => {
    if (to.occupant.role === 'moderator') room.send(packet, to);
  });
}

/** 8.6, 8.3. */
function answer(
  room: Room,
  by: OccupantSession,
  allow: boolean,
  jid: string | undefined,
  nick: string | undefined,
): MaybePromise<void> | StanzaError {
  if (by.occupant.role !== 'moderator') return refuse('forbidden', 'Only moderators give voice.');
  if (!allow) return undefined;
  // it may have left, or be somebody else by now
  const target = nick === undefined ? undefined : room.occupants.named(nick);
  if (!target || (jid !== undefined && !target.sessions.some(client => client.jid.full === jid)))
    return refuse('item-not-found', 'That person is not in the room any more.');
  if (target.role !== 'visitor') return undefined;
  const self = target.account.bare === by.jid.bare;
  const { affiliation, role } = target;
  const refused = refusedRole(room.actor(by.jid), { affiliation, role, self }, 'participant');
  return refused ?? giveRole(room, target, 'participant', { actor: actorName(room, by.jid) });
}
