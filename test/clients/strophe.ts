import { $iq, $msg, $pres, Strophe } from 'strophe.js';
import { type Arrive, type Contact, type Login, Mailbox, type Message, type Person, type Presence } from './person.ts';
import { XMLHttpRequest } from './xml-http-request.ts';

const CARBONS = 'urn:xmpp:carbons:2';
const { Status } = Strophe;
(globalThis as { XMLHttpRequest?: unknown }).XMLHttpRequest = XMLHttpRequest;
// it tells of each step otherwise
Strophe.setLogLevel(Strophe.LogLevel.FATAL);

/** The part of a DOM element that is read here; the project is compiled without the DOM's types. */
export interface Dom {
  readonly localName: string;
  readonly namespaceURI: string | null;
  readonly textContent: string | null;
  readonly childNodes: Iterable<Dom>;
  getAttribute(name: string): string | null;
  getElementsByTagName(name: string): Iterable<Dom>;
}

/** Children of this name. */
export function kids({ childNodes }: Dom, name: string): Dom[] {
  return [...childNodes].filter(({ localName }) => localName === name);
}

/** Connects, once. @throws with the condition when it is refused */
export function reach(
  connection: InstanceType<typeof Strophe.Connection>,
  { user, domain, resource, password }: Login,
): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.connect(
      `${user}@${domain}/${resource}`,
      password,
      (status: number, condition: string | null, failure?: Dom) => {
        if (status === Status.CONNECTED) resolve();
        else if (status === Status.AUTHFAIL)
          reject(new Error(`refused: ${failure ? Strophe.serialize(failure as never) : condition}`));
        else if (status === Status.DISCONNECTED) reject(new Error('the connection ended'));
      },
    );
  });
}

export const arrive: Arrive = async login => {
  const person = new StropheClient(login);
  await person.connect();
  await person.roster();
  person.showUp();
  return person;
};

class StropheClient implements Person {
  readonly messages = new Mailbox<Message>('message');
  readonly presences = new Mailbox<Presence>('presence');
  readonly #connection: InstanceType<typeof Strophe.Connection>;
  readonly #login: Login;
  readonly #bosh: boolean;
  #leaving = false;
  ready = false;
  #again: PromiseWithResolvers<void> | undefined;

  constructor(login: Login) {
    this.#login = login;
    const { way, port } = login;
    const secured = way.endsWith('without TLS') ? '' : 's';
    this.#bosh = way.startsWith('BOSH');
    this.#connection = this.#bosh
      ? new Strophe.Connection(`http${secured}://localhost:${port}/http-bind`)
      : new Strophe.Connection(`ws${secured}://localhost:${port}/xmpp-websocket`, { enableStreamManagement: true });
  }

  get jid(): string {
    return this.#connection.jid;
  }

  /** Connects, and again whenever the connection breaks, as an application on strophe.js does it. */
  connect(): Promise<void> {
    const { user, domain, resource, password } = this.#login;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#connection.connect(
      `${user}@${domain}/${resource}`,
      password,
      (status: number, condition: string | null, failure?: Dom) => {
        this.ready = false;
        switch (status) {
          case Status.CONNECTED:
            this.ready = true;
            this.#listen();
            resolve();
            if (this.#connection.hasResumed()) this.#again?.resolve();
            else this.#again?.reject(new Error('a new session was made'));
            break;
          case Status.AUTHFAIL:
            this.#leaving = true;
            reject(new Error(`refused: ${failure ? Strophe.serialize(failure as never) : condition}`));
            break;
          case Status.DISCONNECTED:
            reject(new Error('the connection ended'));
            this.#connection.reset();
            if (!this.#leaving) setTimeout(() => void this.connect(), 100);
        }
      },
    );
    return promise;
  }

  #listen(): void {
    const keep = (on: (stanza: Dom) => void) => (stanza: Dom) => {
      on(stanza);
      return true; // and the next one
    };
    this.#connection.addHandler(
      keep(stanza =>
        this.presences.put({
          from: stanza.getAttribute('from') ?? '',
          type: stanza.getAttribute('type') ?? 'available',
        }),
      ),
      null,
      'presence',
    );
    this.#connection.addHandler(
      keep(stanza => this.messages.put(message(stanza))),
      null,
      'message',
    );
  }

  showUp(): void {
    this.#connection.send($pres());
  }

  #ask(iq: ReturnType<typeof $iq>): Promise<Dom> {
    return new Promise((resolve, reject) => {
      this.#connection.sendIQ(
        iq,
        resolve,
        (error: Dom | null) => reject(new Error(error ? Strophe.serialize(error as never) : 'no answer')),
        10_000,
      );
    });
  }

  async roster(): Promise<Contact[]> {
    const answer = await this.#ask($iq({ type: 'get' }).c('query', { xmlns: 'jabber:iq:roster' }));
    return [...answer.getElementsByTagName('item')].map(item => ({
      jid: item.getAttribute('jid') ?? '',
      subscription: item.getAttribute('subscription') ?? '',
    }));
  }

  async befriend(jid: string): Promise<void> {
    await this.#ask($iq({ type: 'set' }).c('query', { xmlns: 'jabber:iq:roster' }).c('item', { jid }));
    this.#connection.send($pres({ to: jid, type: 'subscribe' }));
  }

  async accept(jid: string): Promise<void> {
    this.#connection.send($pres({ to: jid, type: 'subscribed' }));
  }

  async say(to: string, body: string): Promise<void> {
    this.#connection.send($msg({ to, type: 'chat' }).c('body').t(body));
  }

  async carbons(): Promise<void> {
    await this.#ask($iq({ type: 'set' }).c('enable', { xmlns: CARBONS }));
  }

  resumed(): Promise<void> {
    // XEP-0124 14.3: its requests come again, and nothing more is needed
    if (this.#bosh) return Promise.resolve();
    this.#again = Promise.withResolvers<void>();
    return this.#again.promise;
  }

  async leave(): Promise<void> {
    this.#leaving = true;
    this.#connection.disconnect('leaving');
    while (this.#connection.connected) await new Promise(resolve => setTimeout(resolve, 20));
  }
}

function message(stanza: Dom): Message {
  for (const child of stanza.childNodes) {
    if (child.namespaceURI === CARBONS) {
      const [inner] = child.getElementsByTagName('message');
      if (inner) return { ...message(inner), carbon: child.localName === 'sent' ? 'sent' : 'received' };
    }
  }
  const children = [...stanza.childNodes];
  return {
    from: stanza.getAttribute('from') ?? '',
    body: children.find(({ localName }) => localName === 'body')?.textContent ?? '',
    delayed: children.some(({ namespaceURI }) => namespaceURI === 'urn:xmpp:delay'),
  };
}
