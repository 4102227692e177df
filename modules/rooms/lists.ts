import type { MaybePromise, Statement, Storage } from '../../src/api/index.ts';
import { andThen } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { KeptAffiliation } from './stored.ts';
import { AFFILIATIONS, APPLICATIONS, HATS, keyOf, ROOMS } from './schema.ts';

/** A room in a list, with its configuration as `configFromJson` reads it. */
export interface Listed {
  readonly jid: string;
  readonly config: string;
}

/** A room that somebody is affiliated with. */
export interface RoomOf {
  readonly jid: string;
  readonly affiliation: KeptAffiliation;
}

/** What is asked about many rooms. */
export class RoomLists {
  private readonly storage: Storage;
  private readonly following: Statement<Listed>;
  private readonly preceding: Statement<Listed>;
  private readonly counting: Statement<{ rooms: number }>;
  private readonly countingBefore: Statement<{ rooms: number }>;
  private readonly countingMade: Statement<{ rooms: number }>;
  private readonly ofSomebody: Statement<RoomOf>;
  private readonly belongingTo: Statement<{ jid: string; config: string; affiliation: KeptAffiliation; since: number }>;

  constructor(storage: Storage) {
    this.storage = storage;
    const listed = `from ${ROOMS} where domain = ? and listed = 1`;
    this.following = storage.prepare(`select jid, config ${listed} and jid > ? order by jid limit ?`);
    this.preceding = storage.prepare(`select jid, config ${listed} and jid < ? order by jid desc limit ?`);
    this.counting = storage.prepare(`select count(*) as rooms ${listed}`);
    this.countingBefore = storage.prepare(`select count(*) as rooms ${listed} and jid < ?`);
    this.countingMade = storage.prepare(`select count(*) as rooms from ${ROOMS} where creator = ? and domain = ?`);
    this.belongingTo = storage.prepare(
      `select r.jid as jid, r.config as config, a.affiliation as affiliation, a.since as since
       from ${AFFILIATIONS} a join ${ROOMS} r on r.id = a.room
       where a.jid_key = ? and a.affiliation <> 'outcast' and r.locked = 0 order by r.jid`,
    );
    this.ofSomebody = storage.prepare(
      `select r.jid as jid, a.affiliation as affiliation from ${AFFILIATIONS} a join ${ROOMS} r on r.id = a.room
       where a.jid_key = ? order by r.jid`,
    );
  }

  /** Listed rooms of a domain behind an address ('' for the first), in the order of addresses. */
  after(domain: string, jid: string, most: number): MaybePromise<Listed[]> {
    return this.following.all(domain, jid, most);
  }

  /** The last ones before an address, in the order of addresses. */
  before(domain: string, jid: string, most: number): MaybePromise<Listed[]> {
    return andThen(this.preceding.all(domain, jid, most), rows => rows.toReversed());
  }

  /** How many rooms of a domain are listed; with an address, how many of them before it. */
  count(domain: string, before?: string): MaybePromise<number> {
    const row = before === undefined ? this.counting.get(domain) : this.countingBefore.get(domain, before);
    return andThen(row, found => Number(found?.rooms ?? 0));
  }

  /** How many rooms of a domain that are there somebody has made. */
  made(creator: Jid, domain: string): MaybePromise<number> {
    return andThen(this.countingMade.get(keyOf(creator.bare), domain), row => Number(row?.rooms ?? 0));
  }

  /** The rooms that know somebody, of all domains. */
  of(jid: Jid): MaybePromise<RoomOf[]> {
    return this.ofSomebody.all(keyOf(jid.bare));
  }

  /** Rooms where somebody asked to become a member. */
  awaitedBy(jid: Jid): Promise<string[]> {
    return this.knowing(APPLICATIONS, jid);
  }

  /** Rooms where somebody has a hat (XEP-0317). */
  wornBy(jid: Jid): Promise<string[]> {
    return this.knowing(HATS, jid);
  }

  private async knowing(table: string, jid: Jid): Promise<string[]> {
    const rows = await this.storage.read(q =>
      q<{ jid: string }>(ROOMS)
        .whereIn('id', q(table).select('room').where('jid_key', keyOf(jid.bare)))
        .orderBy('jid')
        .select('jid'),
    );
    return rows.map(({ jid: room }) => room);
  }

  /** The rooms that somebody belongs to, of all domains, with their configurations. */
  belonging(jid: Jid): MaybePromise<{ jid: string; config: string; affiliation: KeptAffiliation; since: number }[]> {
    return this.belongingTo.all(keyOf(jid.bare));
  }

  /** Rooms that go when nobody is in them. */
  async temporary(): Promise<string[]> {
    const rows = await this.storage.read(q =>
      q<{ jid: string }>(ROOMS).where('temporary', 1).orderBy('jid').select('jid'),
    );
    return rows.map(({ jid }) => jid);
  }

  /** Rooms that stay when nobody is in them, behind an address, with the keys of those who made them. */
  async persistent(after: string, most: number): Promise<string[]> {
    const rows = await this.storage.read(q =>
      q<{ jid: string; temporary: number }>(ROOMS)
        .where('temporary', 0)
        .where('jid', '>', after)
        .orderBy('jid')
        .limit(most)
        .select('jid'),
    );
    return rows.map(({ jid }) => jid);
  }

  /** Rooms where somebody asked to become a member before a time. */
  async waitingSince(time: number): Promise<string[]> {
    const rows = await this.storage.read(q =>
      q<{ jid: string }>(ROOMS)
        .whereIn('id', q(APPLICATIONS).select('room').where('applied', '<', time))
        .orderBy('jid')
        .select('jid'),
    );
    return rows.map(({ jid }) => jid);
  }
}
