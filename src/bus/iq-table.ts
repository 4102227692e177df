import type { Jid } from '../jid/index.ts';
import type { StanzaError } from '../protocol/index.ts';
import type { Element } from '../xml/index.ts';
import type { Packet } from './packet.ts';
import type { SessionView } from './session-view.ts';

/** The answer of an IQ handler that has nothing to say but "done". */
export const Empty = Symbol('empty');

/** An answer that is written already: one element as a wire string, which names its namespace. */
export class Markup {
  readonly wire: string;

  constructor(wire: string) {
    this.wire = wire;
  }
}

export type Answer = Element | Markup | typeof Empty | StanzaError;

/** An IQ request as its handler sees it. */
export interface IqRequest {
  readonly type: 'get' | 'set';
  /** The one child of the request. Made at the first look. */
  readonly payload: Element;
  readonly from: Jid;
  /** The account or host that is asked; a client's own account where it named none. */
  readonly to: Jid;
  /** The session that asks, when it is one of this node's. */
  readonly session: SessionView | undefined;
  /** Whether an account's owner asks for that account. */
  readonly own: boolean;
  readonly packet: Packet;
}

/** What those are told who ask an account that is not there: at its bare JID, at a resource of it. Default service-unavailable. */
export interface AbsentAnswers {
  readonly bare?: AbsentAnswer;
  readonly full?: AbsentAnswer;
}
type AbsentAnswer = StanzaError | ((request: IqRequest) => Answer);

export interface IqRegistration {
  readonly owner: string;
  readonly xmlns: string;
  /** Name of the payload element; any, when left out. */
  readonly name?: string;
  readonly type: 'get' | 'set' | 'both';
  /** Who is asked: an account (its bare JID, or no 'to' at all), or the host. */
  readonly to: 'account' | 'host' | 'both';
  /** Who may ask an account: its owner only, or anyone who reaches it. Default 'owner'. */
  readonly from?: 'owner' | 'anyone';
  readonly absent?: AbsentAnswers;
  readonly fn: (request: IqRequest) => Answer | Promise<Answer>;
  /** Whether the module is on for that domain. */
  readonly enabled?: (host: string) => boolean;
}

/** Which handler answers which request to the server itself or to an account (RFC 6121 8.5.2.1.3, 10.3). */
export class IqTable {
  #table = new Map<string, IqRegistration>();

  get registrations(): IqRegistration[] {
    return [...new Set(this.#table.values())];
  }

  /** Throws when a request would have two handlers. */
  add(registration: IqRegistration): () => void {
    const { xmlns, name, type, to } = registration;
    const keys: string[] = [];
    for (const t of type === 'both' ? ['get', 'set'] : [type]) {
      for (const a of to === 'both' ? ['account', 'host'] : [to]) keys.push(`${t} ${a} ${name ?? '*'} ${xmlns}`);
    }
    for (const key of keys) {
      const other = this.#table.get(key);
      if (other) throw new Error(`'${key}' is answered by the module ${other.owner} already`);
    }
    for (const key of keys) this.#table.set(key, registration);
    return () => {
      for (const key of keys) if (this.#table.get(key) === registration) this.#table.delete(key);
    };
  }

  find(type: string, to: 'account' | 'host', name: string, xmlns: string): IqRegistration | undefined {
    return this.#table.get(`${type} ${to} ${name} ${xmlns}`) ?? this.#table.get(`${type} ${to} * ${xmlns}`);
  }
}
