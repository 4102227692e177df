import type { Agent } from 'stanza';
import type { MUCInfo, ReceivedMessage, ReceivedPresence } from 'stanza/protocol/index.js';
import { Mailbox } from './person.ts';
import type { Invitation, RoomClient, RoomGoer, Said, Seen, Subject } from './room-goer.ts';
import { agentOf, offline, online } from './stanza.ts';

/** stanza in rooms. It writes and looks for what declines an invitation beside the element that XEP-0045 has it in. */
export const stanzaRooms: RoomClient = {
  name: 'stanza',
  way: 'WebSocket',
  undeclining: true,
  arrive: async login => {
    const agent = agentOf(login);
    const goer = new Goer(agent);
    await online(agent);
    agent.sendPresence();
    return goer;
  },
};

export class Goer implements RoomGoer {
  readonly said = new Mailbox<Said>('message in a room');
  readonly seen = new Mailbox<Seen>('presence of an occupant');
  readonly subjects = new Mailbox<Subject>('subject');
  readonly invitations = new Mailbox<Invitation>('invitation');
  readonly declined = new Mailbox<Invitation>('declined invitation');
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
    agent.on('muc:available', presence => this.seen.put(seen(presence, false)));
    agent.on('muc:unavailable', presence => this.seen.put(seen(presence, true)));
    agent.on('message', message => {
      const { body, type } = message;
      if (body !== undefined && (type === 'groupchat' || agent.joinedRooms.has(bare(message.from)))) {
        this.said.put(said(message));
      }
    });
    agent.on('muc:topic', ({ room, topic }) => this.subjects.put({ room, subject: topic ?? '' }));
    agent.on('muc:invite', invitation => this.invitations.put(invitationOf(invitation)));
    agent.on('muc:declined', invitation => this.declined.put(invitationOf(invitation)));
  }

  get jid(): string {
    return this.#agent.jid;
  }

  async enter(room: string, nick: string, { password, history }: { password?: string; history?: number } = {}) {
    const muc = {
      type: 'join',
      password,
      history: history === undefined ? undefined : { maxStanzas: history },
    } as const;
    await told(this.#agent.joinRoom(room, nick, { muc }));
  }

  async sayIn(room: string, body: string): Promise<void> {
    this.#agent.sendMessage({ to: room, type: 'groupchat', body });
  }

  async whisper(room: string, nick: string, body: string): Promise<void> {
    this.#agent.sendMessage({ to: `${room}/${nick}`, type: 'chat', body });
  }

  async changeNick(room: string, nick: string): Promise<void> {
    this.#agent.sendPresence({ to: `${room}/${nick}` });
  }

  async setSubject(room: string, subject: string): Promise<void> {
    this.#agent.setSubject(room, subject);
  }

  async configuration(room: string): Promise<Record<string, string>> {
    const { fields = [] } = await told(this.#agent.getRoomConfig(room));
    return Object.fromEntries(fields.map(({ name = '', value }) => [name, text(value)]));
  }

  async configure(room: string, values: Record<string, string>): Promise<void> {
    const FORM_TYPE = 'http://jabber.org/protocol/muc#roomconfig';
    const all = Object.keys(values).length === 0 ? values : { FORM_TYPE, ...values };
    const fields = Object.entries(all).map(([name, value]) => ({ type: 'text-single', name, value }) as const);
    await told(this.#agent.configureRoom(room, { fields }));
  }

  async kick(room: string, nick: string, reason: string): Promise<void> {
    await told(this.#agent.kick(room, nick, reason));
  }

  async affiliate(room: string, jid: string, affiliation: 'outcast' | 'none' | 'member' | 'admin' | 'owner') {
    await told(this.#agent.setRoomAffiliation(room, jid, affiliation));
  }

  async affiliated(room: string, affiliation: 'outcast' | 'member' | 'admin' | 'owner'): Promise<string[]> {
    const { muc } = await told(this.#agent.getRoomMembers(room, { affiliation }));
    return (muc.users ?? []).map(({ jid }) => jid ?? '').toSorted();
  }

  async invite(room: string, to: string, reason: string): Promise<void> {
    this.#agent.invite(room, { to, reason });
  }

  async decline(room: string, jid: string, reason: string): Promise<void> {
    this.#agent.declineInvite(room, jid, reason);
  }

  async leaveRoom(room: string): Promise<void> {
    await told(this.#agent.leaveRoom(room));
  }

  async destroy(room: string, reason: string, instead: string): Promise<void> {
    await told(this.#agent.destroyRoom(room, { reason, jid: instead }));
  }

  leave(): Promise<void> {
    return offline(this.#agent);
  }
}

/** It rejects with the stanza of the error. */
async function told<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((stanza: { error?: { condition?: string } }) => {
    throw new Error(stanza.error?.condition ?? String(stanza));
  });
}

function seen({ from, muc }: ReceivedPresence & { muc: MUCInfo }, gone: boolean): Seen {
  const { affiliation = '', role = '', statusCodes = [], nick, destroy } = muc;
  const reason = destroy?.reason ?? muc.reason;
  return {
    room: bare(from),
    nick: from.slice(from.indexOf('/') + 1),
    gone,
    affiliation,
    role,
    codes: statusCodes.map(Number).toSorted((a, b) => a - b),
    ...(gone && nick !== undefined ? { newNick: nick } : {}),
    ...(destroy ? { destroyed: destroy.jid ?? '' } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}

function said({ from, body, delay, type }: ReceivedMessage): Said {
  return {
    room: bare(from),
    nick: from.slice(from.indexOf('/') + 1),
    body: body ?? '',
    delayed: delay !== undefined,
    alone: type !== 'groupchat',
  };
}

const invitationOf = ({ room, from, reason = '' }: { room: string; from: string; reason?: string }): Invitation => ({
  room,
  from: bare(from),
  reason,
});

function bare(jid: string): string {
  return jid.split('/')[0]!;
}

function text(value: boolean | string | readonly string[] | undefined): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}
