import type { Packet, SessionView } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { Affiliation, OccupantRole } from './roles.ts';

/** A client that is in a room: an occupant may have several, of one account (XEP-0045 7.2.9). */
export class OccupantSession {
  /** The full address of the client. */
  readonly jid: Jid;
  readonly occupant: Occupant;
  /** Undefined for clients that are not this node's. */
  readonly session: SessionView | undefined;
  /** What others see of its last presence, a wire string: the attributes that stay, then the content. */
  shown: PresenceParts;

  constructor(jid: Jid, occupant: Occupant, session: SessionView | undefined, shown: PresenceParts) {
    this.jid = jid;
    this.occupant = occupant;
    this.session = session;
    this.shown = shown;
  }
}

/** A client's presence without what only the room says: wire strings. */
export interface PresenceParts {
  /** ' xml:lang='en'', or ''. */
  readonly attributes: string;
  readonly content: string;
}

/** Somebody in a room, under a nickname. */
export class Occupant {
  readonly nick: string;
  /** room@service/nick */
  readonly address: Jid;
  /** The bare address of the account. */
  readonly account: Jid;
  /** XEP-0421. */
  readonly id: string;
  affiliation: Affiliation;
  role: OccupantRole;
  /** Its hats (XEP-0317) as they are shown: a wire string, '' for none. */
  hats: string;
  /** Never empty while it is in the room; the one that is shown is the last. */
  readonly sessions: OccupantSession[] = [];
  /** Its presence as others have it, with its full address and without; made when first needed. */
  readonly made: { open: Packet | undefined; hidden: Packet | undefined } = { open: undefined, hidden: undefined };

  constructor(address: Jid, account: Jid, id: string, affiliation: Affiliation, role: OccupantRole, hats = '') {
    this.nick = address.resource;
    this.address = address;
    this.account = account;
    this.id = id;
    this.affiliation = affiliation;
    this.role = role;
    this.hats = hats;
  }

  /** The session whose presence is shown. */
  get shown(): OccupantSession {
    return this.sessions[this.sessions.length - 1]!;
  }

  /** Its presence is another now. */
  changed(): void {
    this.made.open = this.made.hidden = undefined;
  }
}

/** By what nicknames are the same: as RFC 8266 2.4 compares them, so that nobody is mistaken for another. */
export function nickKey(nick: string): string {
  return nick
    .replace(/\p{Zs}+/gu, ' ')
    .trim()
    .toLowerCase()
    .normalize('NFKC');
}

/** Who is in a room. */
export class Occupants {
  private readonly byNick = new Map<string, Occupant>();
  private readonly byKey = new Map<string, Occupant>();
  private readonly byClient = new Map<string, OccupantSession>();
  private readonly byAccount = new Map<string, Occupant[]>();
  private readonly byRole: Readonly<Record<OccupantRole, Set<Occupant>>> = {
    moderator: new Set(),
    participant: new Set(),
    visitor: new Set(),
  };

  get size(): number {
    return this.byNick.size;
  }

  all(): IterableIterator<Occupant> {
    return this.byNick.values();
  }

  /** Those who have one of these roles. */
  *having(roles: readonly OccupantRole[]): Generator<Occupant> {
    for (const role of roles) yield* this.byRole[role];
  }

  /** Gives somebody who is in the room a role. */
  give(occupant: Occupant, role: OccupantRole): void {
    if (this.byRole[occupant.role].delete(occupant)) this.byRole[role].add(occupant);
    occupant.role = role;
  }

  sessions(): IterableIterator<OccupantSession> {
    return this.byClient.values();
  }

  get sessionCount(): number {
    return this.byClient.size;
  }

  /** Under exactly that nickname. */
  named(nick: string): Occupant | undefined {
    return this.byNick.get(nick);
  }

  /** Under a nickname that passes for it. */
  like(nick: string): Occupant | undefined {
    return this.byNick.get(nick) ?? this.byKey.get(nickKey(nick));
  }

  client(full: Jid): OccupantSession | undefined {
    return this.byClient.get(full.full);
  }

  /** All that an account is in the room. */
  of(account: Jid): readonly Occupant[] {
    return this.byAccount.get(account.bare) ?? [];
  }

  /** Adds a session to its occupant, and that to the room if it is new. */
  add(session: OccupantSession): void {
    const { occupant } = session;
    if (this.byNick.get(occupant.nick) !== occupant) {
      this.byNick.set(occupant.nick, occupant);
      this.byRole[occupant.role].add(occupant);
      this.byKey.set(nickKey(occupant.nick), occupant);
      const others = this.byAccount.get(occupant.account.bare);
      if (others) others.push(occupant);
      else this.byAccount.set(occupant.account.bare, [occupant]);
    }
    occupant.sessions.push(session);
    occupant.changed();
    this.byClient.set(session.jid.full, session);
  }

  /** Takes a session away, and its occupant when that was the last. */
  remove(session: OccupantSession): void {
    const { occupant } = session;
    const index = occupant.sessions.indexOf(session);
    if (index < 0) return;
    occupant.sessions.splice(index, 1);
    occupant.changed();
    this.byClient.delete(session.jid.full);
    if (occupant.sessions.length > 0) return;
    this.byNick.delete(occupant.nick);
    this.byRole[occupant.role].delete(occupant);
    if (this.byKey.get(nickKey(occupant.nick)) === occupant) this.byKey.delete(nickKey(occupant.nick));
    const others = this.byAccount.get(occupant.account.bare)!.filter(other => other !== occupant);
    if (others.length > 0) this.byAccount.set(occupant.account.bare, others);
    else this.byAccount.delete(occupant.account.bare);
  }

  /** A session's presence is shown from now on as its occupant's. */
  show(session: OccupantSession): void {
    const { sessions } = session.occupant;
    const index = sessions.indexOf(session);
    if (index < sessions.length - 1) {
      sessions.splice(index, 1);
      sessions.push(session);
    }
    session.occupant.changed();
  }
}
