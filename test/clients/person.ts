/** How a client reaches the server. */
export type Way = 'STARTTLS' | 'direct TLS' | 'WebSocket' | 'WebSocket without TLS' | 'BOSH' | 'BOSH without TLS';

/** Where and as whom somebody logs in. */
export interface Login {
  readonly way: Way;
  /** Port of `localhost`, of the server or of a cable. */
  readonly port: number;
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly resource: string;
  /** File of the certificate that the server made for itself. */
  readonly certificate: string;
  /** The kind of mechanism; what the client prefers without it. Only @xmpp/client can be told. */
  readonly by?: 'SCRAM' | 'PLAIN';
}

export interface Message {
  readonly from: string;
  readonly body: string;
  /** It waited for its receiver: XEP-0203. */
  readonly delayed: boolean;
  /** A copy of what another client of the account sent or received: XEP-0280. */
  readonly carbon?: 'sent' | 'received';
}

export interface Presence {
  readonly from: string;
  /** `available` where the stanza says nothing. */
  readonly type: string;
}

export interface Contact {
  readonly jid: string;
  readonly subscription: string;
}

/** What the plays need of a client, whoever wrote it. */
export interface Person {
  /** The full address it was given. */
  readonly jid: string;
  readonly messages: Mailbox<Message>;
  readonly presences: Mailbox<Presence>;
  /** Asks for the roster. */
  roster(): Promise<Contact[]>;
  /** Adds a contact to the roster and asks for its presence. */
  befriend(jid: string): Promise<void>;
  /** Lets somebody who asked see one's presence. */
  accept(jid: string): Promise<void>;
  say(to: string, body: string): Promise<void>;
  carbons(): Promise<void>;
  /** Waits until a session whose connection broke was resumed (XEP-0198); rejects when a new one was made instead. Over BOSH: at once. */
  resumed?(): Promise<void>;
  /** Whether it has a session that it can say something in; where that is not said, it can whenever it has arrived. */
  readonly ready?: boolean;
  leave(): Promise<void>;
}

/** Logs in, asks for the roster and sends the first presence. @throws with `not-authorized` in the message when the password is wrong */
export type Arrive = (login: Login) => Promise<Person>;

/** Things that came and that nobody has asked for yet. */
export class Mailbox<T> {
  readonly #items: T[] = [];
  readonly #waiting = new Set<(item: T) => boolean>();
  readonly #what: string;

  constructor(what: string) {
    this.#what = what;
  }

  /** From now on all goes to a function, and what lies there first. */
  each(take: (item: T) => void): void {
    for (const item of this.#items.splice(0)) take(item);
    this.#waiting.add(item => {
      take(item);
      return true;
    });
  }

  put(item: T): void {
    for (const take of this.#waiting) {
      if (take(item)) return;
    }
    this.#items.push(item);
  }

  /** All that lies there. */
  get rest(): readonly T[] {
    return this.#items;
  }

  /** Takes the first that `test` likes, waiting for it if need be. @throws when none comes within 10 s, telling what came instead */
  next(wanted: string, test: (item: T) => boolean): Promise<T> {
    const index = this.#items.findIndex(test);
    if (index >= 0) return Promise.resolve(this.#items.splice(index, 1)[0]!);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const take = (item: T): boolean => {
      if (!test(item)) return false;
      end();
      resolve(item);
      return true;
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`no ${this.#what} came: ${wanted}; there were ${JSON.stringify(this.#items)}`));
    }, 10_000);
    const end = (): void => {
      clearTimeout(timer);
      this.#waiting.delete(take);
    };
    this.#waiting.add(take);
    return promise;
  }
}
