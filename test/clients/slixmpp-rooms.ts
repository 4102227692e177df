import { type Login, Mailbox } from './person.ts';
import type { PythonClients, SlixmppClient } from './python.ts';
import type { Invitation, RoomClient, RoomGoer, Said, Seen, Subject } from './room-goer.ts';

/** slixmpp in rooms; its part in Python is slixmpp_rooms.py. */
export function slixmppRooms(program: () => Promise<PythonClients>): RoomClient {
  return {
    name: 'slixmpp',
    way: 'STARTTLS',
    need: { python: 'slixmpp', why: 'apt install python3-slixmpp: a client that others wrote' },
    arrive: async (login: Login) => goer(await (await program()).arrive(login)),
  };
}

/** A client of slixmpp that is there, in rooms. */
export function goer(client: SlixmppClient): RoomGoer {
  const box = <T>(what: string, event: string): Mailbox<T> => {
    const mailbox = new Mailbox<T>(what);
    client.on(event, about => mailbox.put(about as T));
    return mailbox;
  };
  const act =
    (what: string) =>
    async (details: object): Promise<void> =>
      void (await client.do(what, details));
  return {
    jid: client.jid,
    said: box<Said>('message in a room', 'said'),
    seen: box<Seen>('presence of an occupant', 'seen'),
    subjects: box<Subject>('subject', 'subject'),
    invitations: box<Invitation>('invitation', 'invited'),
    declined: box<Invitation>('declined invitation', 'declined'),
    enter: (room, nick, options = {}) => act('enter')({ room, nick, ...options }),
    sayIn: (room, body) => act('say_in')({ room, body }),
    whisper: (room, nick, body) => act('say')({ to: `${room}/${nick}`, body }),
    changeNick: (room, nick) => act('change_nick')({ room, nick }),
    setSubject: (room, subject) => act('set_subject')({ room, subject }),
    configuration: async room => (await client.do('configuration', { room })) as Record<string, string>,
    configure: (room, fields) => act('configure')({ room, fields }),
    kick: (room, nick, reason) => act('kick')({ room, nick, reason }),
    affiliate: (room, jid, affiliation) => act('affiliate')({ room, jid, affiliation }),
    affiliated: async (room, affiliation) => (await client.do('affiliated', { room, affiliation })) as string[],
    invite: (room, jid, reason) => act('invite')({ room, jid, reason }),
    decline: (room, jid, reason) => act('decline')({ room, jid, reason }),
    leaveRoom: (room, nick) => act('leave_room')({ room, nick }),
    destroy: (room, reason, instead) => act('destroy')({ room, reason, instead }),
    leave: () => client.leave(),
  };
}
