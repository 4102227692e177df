import type { UserView } from '../bus/index.ts';
import type { Jid } from '../jid/index.ts';
import type { Session } from './session.ts';

/** An account with sessions on this node. */
export class User implements UserView {
  readonly jid: Jid;
  sessions: readonly Session[] = [];

  constructor(jid: Jid) {
    this.jid = jid;
  }
}

/** The sessions of this node, by account and by full address. */
export class Users {
  #byBare = new Map<string, User>();
  #byFull = new Map<string, Session>();

  get(bare: string): User | undefined {
    return this.#byBare.get(bare);
  }

  session(full: string): Session | undefined {
    return this.#byFull.get(full);
  }

  get sessionCount(): number {
    return this.#byFull.size;
  }

  sessions(): Iterable<Session> {
    return this.#byFull.values();
  }

  all(): Iterable<User> {
    return this.#byBare.values();
  }

  /** The account's entry, made when it has none; it stays only if a session is added. */
  user(bare: Jid): User {
    return this.#byBare.get(bare.bare) ?? new User(bare);
  }

  add(session: Session): void {
    const { user } = session;
    user.sessions = [...user.sessions, session];
    this.#byBare.set(user.jid.bare, user);
    this.#byFull.set(session.jid.full, session);
  }

  remove(session: Session): void {
    const { user } = session;
    user.sessions = user.sessions.filter(s => s !== session);
    if (user.sessions.length === 0) this.#byBare.delete(user.jid.bare);
    if (this.#byFull.get(session.jid.full) === session) this.#byFull.delete(session.jid.full);
  }
}
