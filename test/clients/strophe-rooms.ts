import { createRequire } from 'node:module';
import type * as StropheModule from 'strophe.js';
import { type Login, Mailbox } from './person.ts';
import type { Invitation, RoomClient, RoomGoer, Said, Seen, Subject } from './room-goer.ts';
import { type Dom, kids, reach } from './strophe.ts';

const PLUGIN = 'strophejs-plugin-muc';
const OWNER = 'http://jabber.org/protocol/muc#owner';
const USER = 'http://jabber.org/protocol/muc#user';

type Done = (answer: Dom) => void;
type Failed = (answer: Dom | null) => void;
type Take = (stanza: Dom) => boolean;

/** What is used here of the plug-in, which has no types. */
interface Muc {
  join(
    room: string,
    nick: string,
    message: Take,
    presence: Take,
    roster: undefined,
    password: string | undefined,
    history: object,
  ): void;
  leave(room: string, nick: string, done: Done): void;
  groupchat(room: string, body: string): void;
  message(room: string, nick: string, body: string, html: undefined, type: 'chat'): void;
  invite(room: string, jid: string, reason?: string): void;
  configure(room: string, done: Done, failed: Failed): void;
  createInstantRoom(room: string, done: Done, failed: Failed): void;
  createConfiguredRoom(room: string, fields: Record<string, string>, done: Done, failed: Failed): void;
  setTopic(room: string, subject: string): void;
  kick(room: string, nick: string, reason: undefined, done: Done, failed: Failed): void;
  modifyAffiliation(
    room: string,
    jid: string,
    affiliation: string,
    reason: undefined,
    done: Done,
    failed: Failed,
  ): void;
  changeNick(room: string, nick: string): void;
}

/**
 * strophe.js in rooms, by its plug-in. The plug-in extends the strophe.js that `require` gives, which is another than the one of `import`;
 * and it gives reasons to strophe.js in a way that strophe.js has not known for years, so they are lost.
 */
export const stropheRooms: RoomClient = {
  name: 'strophe.js',
  way: 'WebSocket',
  need: { module: PLUGIN, why: 'npm ci: rooms in strophe.js' },
  arrive,
  unreasonable: true,
};

async function arrive(login: Login): Promise<RoomGoer> {
  const require = createRequire(import.meta.url);
  const { Strophe, $pres, $msg, $iq } = require('strophe.js') as typeof StropheModule;
  require(PLUGIN);
  Strophe.setLogLevel(Strophe.LogLevel.FATAL);
  const connection = new Strophe.Connection(`wss://localhost:${login.port}/xmpp-websocket`);
  await reach(connection as never, login);
  const goer = new Goer(connection as never, { $msg, $iq });
  connection.send($pres());
  return goer;
}

interface Connection {
  readonly jid: string;
  readonly connected: boolean;
  readonly muc: Muc;
  addHandler(take: Take, xmlns: string | null, name: string): void;
  send(stanza: unknown): void;
  sendIQ(iq: unknown, done: Done, failed: Failed): void;
  disconnect(reason: string): void;
}

class Goer implements RoomGoer {
  readonly said = new Mailbox<Said>('message in a room');
  readonly seen = new Mailbox<Seen>('presence of an occupant');
  readonly subjects = new Mailbox<Subject>('subject');
  readonly invitations = new Mailbox<Invitation>('invitation');
  readonly declined = new Mailbox<Invitation>('declined invitation');
  readonly #connection: Connection;
  readonly #make: Pick<typeof StropheModule, '$msg' | '$iq'>;
  readonly #muc: Muc;

  constructor(connection: Connection, make: Pick<typeof StropheModule, '$msg' | '$iq'>) {
    this.#connection = connection;
    this.#make = make;
    this.#muc = connection.muc;
    // the plug-in has nothing for what is invited to
    connection.addHandler(
      stanza => {
        const x = kids(stanza, 'x').find(({ namespaceURI }) => namespaceURI === USER);
        for (const [name, box] of [
          ['invite', this.invitations],
          ['decline', this.declined],
        ] as const) {
          const [found] = x ? kids(x, name) : [];
          if (!found) continue;
          const from = bare(found.getAttribute('from') ?? '');
          box.put({ room: bare(of(stanza)), from, reason: kids(found, 'reason')[0]?.textContent ?? '' });
        }
        return true;
      },
      null,
      'message',
    );
  }

  get jid(): string {
    return this.#connection.jid;
  }

  enter(room: string, nick: string, { password, history }: { password?: string; history?: number } = {}) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const heard: Take = stanza => {
      const [body] = kids(stanza, 'body');
      const [subject] = kids(stanza, 'subject');
      if (body) this.said.put(said(stanza, body));
      else if (subject) this.subjects.put({ room, subject: subject.textContent ?? '' });
      return true;
    };
    // to the plug-in it is in the room until it leaves by itself: another attempt would get no handlers
    const forget = (): false => {
      this.#muc.leave(room, nick, () => undefined);
      return false;
    };
    const present: Take = stanza => {
      if (stanza.getAttribute('type') === 'error') {
        reject(new Error(condition(stanza)));
        return forget();
      }
      const presence = seen(stanza);
      this.seen.put(presence);
      if (!presence.codes.includes(110)) return true;
      if (presence.gone && presence.newNick === undefined) return forget();
      resolve();
      return true;
    };
    const limit = history === undefined ? {} : { maxstanzas: String(history) };
    this.#muc.join(room, nick, heard, present, undefined, password, limit);
    return promise;
  }

  async sayIn(room: string, body: string): Promise<void> {
    this.#muc.groupchat(room, body);
  }

  async whisper(room: string, nick: string, body: string): Promise<void> {
    this.#muc.message(room, nick, body, undefined, 'chat');
  }

  async changeNick(room: string, nick: string): Promise<void> {
    this.#muc.changeNick(room, nick);
  }

  async setSubject(room: string, subject: string): Promise<void> {
    this.#muc.setTopic(room, subject);
  }

  async configuration(room: string): Promise<Record<string, string>> {
    const answer = await this.#ask((done, failed) => this.#muc.configure(room, done, failed));
    const fields = [...answer.getElementsByTagName('field')];
    return Object.fromEntries(
      fields.map(field => [field.getAttribute('var') ?? '', kids(field, 'value')[0]?.textContent ?? '']),
    );
  }

  async configure(room: string, fields: Record<string, string>): Promise<void> {
    await this.#ask((done, failed) =>
      Object.keys(fields).length === 0
        ? this.#muc.createInstantRoom(room, done, failed)
        : this.#muc.createConfiguredRoom(room, fields, done, failed),
    );
  }

  async kick(room: string, nick: string): Promise<void> {
    await this.#ask((done, failed) => this.#muc.kick(room, nick, undefined, done, failed));
  }

  async affiliate(room: string, jid: string, affiliation: string): Promise<void> {
    await this.#ask((done, failed) => this.#muc.modifyAffiliation(room, jid, affiliation, undefined, done, failed));
  }

  async invite(room: string, jid: string): Promise<void> {
    this.#muc.invite(room, jid);
  }

  async decline(room: string, to: string): Promise<void> {
    this.#connection.send(this.#make.$msg({ to: room }).c('x', { xmlns: USER }).c('decline', { to }));
  }

  /** The plug-in has nothing for it. */
  async destroy(room: string, reason: string, jid: string): Promise<void> {
    const iq = this.#make.$iq({ to: room, type: 'set' }).c('query', { xmlns: OWNER }).c('destroy', { jid });
    await this.#ask((done, failed) => this.#connection.sendIQ(iq.c('reason').t(reason), done, failed));
  }

  leaveRoom(room: string, nick: string): Promise<void> {
    return new Promise(resolve => this.#muc.leave(room, nick, () => resolve()));
  }

  async leave(): Promise<void> {
    this.#connection.disconnect('leaving');
    while (this.#connection.connected) await new Promise(resolve => setTimeout(resolve, 20));
  }

  #ask(send: (done: Done, failed: Failed) => void): Promise<Dom> {
    return new Promise((resolve, reject) =>
      send(resolve, error => reject(new Error(error ? condition(error) : 'no answer'))),
    );
  }
}

/** The condition of a stanza error. */
function condition(stanza: Dom): string {
  const [error] = kids(stanza, 'error');
  return [...(error?.childNodes ?? [])].find(({ localName }) => localName !== 'text')?.localName ?? 'error';
}

function seen(stanza: Dom): Seen {
  const x = kids(stanza, 'x').find(({ namespaceURI }) => namespaceURI === USER)!;
  const [item] = kids(x, 'item');
  const [destroy] = kids(x, 'destroy');
  const gone = stanza.getAttribute('type') === 'unavailable';
  const nick = item?.getAttribute('nick');
  const [reason] = kids(destroy ?? item ?? x, 'reason');
  return {
    room: bare(of(stanza)),
    nick: nickOf(stanza),
    gone,
    affiliation: item?.getAttribute('affiliation') ?? '',
    role: item?.getAttribute('role') ?? '',
    codes: kids(x, 'status')
      .map(status => Number(status.getAttribute('code')))
      .toSorted((a, b) => a - b),
    ...(gone && nick ? { newNick: nick } : {}),
    ...(destroy ? { destroyed: destroy.getAttribute('jid') ?? '' } : {}),
    ...(reason ? { reason: reason.textContent ?? '' } : {}),
  };
}

function said(stanza: Dom, body: Dom): Said {
  return {
    room: bare(of(stanza)),
    nick: nickOf(stanza),
    body: body.textContent ?? '',
    delayed: kids(stanza, 'delay').length > 0,
    alone: stanza.getAttribute('type') !== 'groupchat',
  };
}

const of = (stanza: Dom): string => stanza.getAttribute('from') ?? '';
const bare = (jid: string): string => jid.split('/')[0]!;
const nickOf = (stanza: Dom): string => of(stanza).slice(of(stanza).indexOf('/') + 1);
