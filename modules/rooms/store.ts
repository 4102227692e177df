import {
  andThen,
  type BatchTransaction,
  type BatchWriter,
  type MaybePromise,
  type Statement,
  type Storage,
  type StoreDefinition,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { RoomConfig } from './config.ts';
import type { Hat, Wearer } from './hats.ts';
import { RoomLists } from './lists.ts';
import { type AffiliationRow, affiliatedOf, applicationOf, roomOf, type RoomRow, wearerOf } from './rows.ts';
import { AFFILIATIONS, APPLICATIONS, CARDS, HATS, keyOf, migrations, ROOMS } from './schema.ts';
import type { Affiliated, Application, NewRoom, StoredRoom, Subject, Unaffiliated } from './stored.ts';

/** Affiliations that are read in one go; others get their turn between two. */
export const PAGE = 500;

/** What is written: everything of all rooms in the order in which it was given. */
interface Write {
  run(tx: BatchTransaction): MaybePromise<number>;
}

/**
 * Rooms: what their owners chose, who has which affiliation, who asks to be a member, the subject, the avatar. All that is written is
 * committed when the promise is resolved, or not at all; it is a part of the unit that it is written in.
 */
export class RoomStore {
  readonly lists: RoomLists;
  private readonly room: Statement<RoomRow>;
  private readonly affiliations: Statement<AffiliationRow>;
  private readonly waiting: Statement<{ jid: string; form: string; applied: number }>;
  private readonly worn: Statement<{ jid: string; uris: string }>;
  private readonly cardOf: Statement<{ card: string }>;
  private readonly writing: BatchWriter<Write, number>;

  constructor(storage: Storage) {
    this.lists = new RoomLists(storage);
    this.room = storage.prepare(
      `select id, config, locked, subject, subject_nick, subject_at, subject_by, created, avatar, hats from ${ROOMS} where jid = ?`,
    );
    this.affiliations = storage.prepare(
      `select jid_key, jid, affiliation, nick, reason, since from ${AFFILIATIONS} where room = ? and jid_key > ?
       order by jid_key limit ${PAGE}`,
    );
    this.waiting = storage.prepare(
      `select jid, form, applied from ${APPLICATIONS} where room = ? order by applied, jid_key`,
    );
    this.worn = storage.prepare(`select jid, uris from ${HATS} where room = ? order by jid_key`);
    this.cardOf = storage.prepare(`select card from ${CARDS} where room = ?`);
    this.writing = storage.batch<Write, number>({ name: 'rooms', write: (tx, row) => row.run(tx) });
  }

  /** A room with all that belongs to it, at once where the database answers at once and it has not many affiliations. */
  load(jid: Jid): MaybePromise<StoredRoom | undefined> {
    return andThen(this.room.get(jid.bare), row => {
      if (!row) return undefined;
      const affiliated: Affiliated[] = [];
      return andThen(this.readAffiliated(row.id, '', affiliated), last =>
        andThen(last === undefined ? undefined : this.readRest(row.id, last, affiliated), () =>
          andThen(this.waiting.all(row.id), waiting =>
            andThen(row.hats === null ? [] : this.worn.all(row.id), worn =>
              roomOf(jid, row, affiliated, waiting.map(applicationOf), worn.map(wearerOf)),
            ),
          ),
        ),
      );
    });
  }

  /** Reads a page; the key to go on from, if there may be more. */
  private readAffiliated(room: number, after: string, into: Affiliated[]): MaybePromise<string | undefined> {
    return andThen(this.affiliations.all(room, after), rows => {
      for (const row of rows) into.push(affiliatedOf(row));
      return rows.length < PAGE ? undefined : rows.at(-1)!.jid_key;
    });
  }

  private async readRest(room: number, after: string, into: Affiliated[]): Promise<void> {
    for (let last: string | undefined = after; last !== undefined;) {
      await new Promise(resolve => setImmediate(resolve));
      last = await this.readAffiliated(room, last, into);
    }
  }

  /** Makes a room; its number. */
  create({ jid, creator, config, locked, created }: NewRoom, affiliated: readonly Affiliated[]): Promise<number> {
    return this.write(tx =>
      andThen(
        tx.run(
          `insert into ${ROOMS} (jid, domain, creator, created, config, listed, temporary, locked, avatar)
           values (?, ?, ?, ?, ?, ?, ?, ?, '[]')`,
          jid.bare,
          jid.domain,
          keyOf(creator.bare),
          created,
          ...settled(config, locked),
        ),
        ({ id }) => andThen(affiliate(tx, id, affiliated), () => id),
      ),
    );
  }

  /** An account is gone: the next by its name has made none of its rooms. */
  async forgetMaker(account: Jid): Promise<void> {
    const sql = `update ${ROOMS} set creator = '' where creator = ?`;
    await this.write(tx => andThen(tx.run(sql, keyOf(account.bare)), () => 0));
  }

  /** What its owners choose from now on, and whom they name with it. */
  async configure(
    room: number,
    config: RoomConfig,
    locked: boolean,
    changes: readonly (Affiliated | Unaffiliated)[] = [],
  ): Promise<void> {
    await this.write(tx =>
      andThen(
        tx.run(
          `update ${ROOMS} set config = ?, listed = ?, temporary = ?, locked = ? where id = ?`,
          ...settled(config, locked),
          room,
        ),
        () => affiliate(tx, room, changes),
      ),
    );
  }

  /** Gives affiliations and takes them away; who was waiting to be a member and has one now waits no more. */
  async affiliate(room: number, changes: readonly (Affiliated | Unaffiliated)[]): Promise<void> {
    await this.write(tx => affiliate(tx, room, changes));
  }

  async setSubject(room: number, { text, nick, by, at }: Subject): Promise<void> {
    const sql = `update ${ROOMS} set subject = ?, subject_nick = ?, subject_by = ?, subject_at = ? where id = ?`;
    await this.write(tx => andThen(tx.run(sql, text, nick, by, at, room), () => 0));
  }

  /** Keeps that somebody asks to become a member; what was asked before is forgotten. */
  async apply(room: number, { jid, form, applied }: Application): Promise<void> {
    await this.write(tx =>
      andThen(forget(tx, room, jid), () =>
        andThen(
          tx.run(
            `insert into ${APPLICATIONS} (room, jid_key, jid, form, applied) values (?, ?, ?, ?, ?)`,
            room,
            keyOf(jid.bare),
            jid.bare,
            JSON.stringify(form),
            applied,
          ),
          () => 0,
        ),
      ),
    );
  }

  async forgetApplication(room: number, jid: Jid): Promise<void> {
    await this.write(tx => andThen(forget(tx, room, jid), () => 0));
  }

  /** The vCard of a room, as XML. */
  card(room: number): MaybePromise<string | undefined> {
    return andThen(this.cardOf.get(room), row => row?.card);
  }

  async setCard(room: number, card: string | undefined, avatarHashes: readonly string[]): Promise<void> {
    await this.write(tx =>
      andThen(tx.run(`delete from ${CARDS} where room = ?`, room), () =>
        andThen(
          card === undefined ? undefined : tx.run(`insert into ${CARDS} (room, card) values (?, ?)`, room, card),
          () =>
            andThen(tx.run(`update ${ROOMS} set avatar = ? where id = ?`, JSON.stringify(avatarHashes), room), () => 0),
        ),
      ),
    );
  }

  /** Which hats there are from now on (XEP-0317), and what those have who have others than before; nobody else has others. */
  async setHats(room: number, hats: readonly Hat[], changes: readonly Wearer[]): Promise<void> {
    await this.write(tx =>
      changes.reduce<MaybePromise<number>>(
        (before, { jid, uris }) =>
          andThen(before, () =>
            andThen(tx.run(`delete from ${HATS} where room = ? and jid_key = ?`, room, keyOf(jid.bare)), () =>
              uris.length === 0 ? 0 : andThen(wear(tx, room, jid, uris), () => 0),
            ),
          ),
        andThen(tx.run(`update ${ROOMS} set hats = ? where id = ?`, JSON.stringify(hats), room), () => 0),
      ),
    );
  }

  /** Removes a room with all that belongs to it. */
  async remove(room: number): Promise<void> {
    await this.write(tx =>
      [AFFILIATIONS, APPLICATIONS, CARDS, HATS].reduce<MaybePromise<number>>(
        (before, table) => andThen(before, () => andThen(tx.run(`delete from ${table} where room = ?`, room), () => 0)),
        andThen(tx.run(`delete from ${ROOMS} where id = ?`, room), () => 0),
      ),
    );
  }

  private write(run: Write['run']): Promise<number> {
    return this.writing.write({ run });
  }
}

function settled(config: RoomConfig, locked: boolean): [string, number, number, number] {
  return [JSON.stringify(config), config.listed && !locked ? 1 : 0, config.persistent ? 0 : 1, locked ? 1 : 0];
}

function affiliate(
  tx: BatchTransaction,
  room: number,
  changes: readonly (Affiliated | Unaffiliated)[],
): MaybePromise<number> {
  return changes.reduce<MaybePromise<number>>((before, change) => {
    const key = keyOf(change.jid.bare);
    return andThen(before, () =>
      andThen(tx.run(`delete from ${AFFILIATIONS} where room = ? and jid_key = ?`, room, key), () =>
        change.affiliation === 'none' ? 0 : andThen(insert(tx, room, change), () => forget(tx, room, change.jid)),
      ),
    );
  }, 0);
}

function insert(tx: BatchTransaction, room: number, { jid, affiliation, nick, reason, since }: Affiliated) {
  return tx.run(
    `insert into ${AFFILIATIONS} (room, jid_key, jid, affiliation, nick, reason, since) values (?, ?, ?, ?, ?, ?, ?)`,
    room,
    keyOf(jid.bare),
    jid.bare,
    affiliation,
    nick ?? null,
    reason ?? null,
    since,
  );
}

function wear(tx: BatchTransaction, room: number, { bare }: Jid, uris: readonly string[]) {
  const sql = `insert into ${HATS} (room, jid_key, jid, uris) values (?, ?, ?, ?)`;
  return tx.run(sql, room, keyOf(bare), bare, JSON.stringify(uris));
}

function forget(tx: BatchTransaction, room: number, jid: Jid): MaybePromise<number> {
  const sql = `delete from ${APPLICATIONS} where room = ? and jid_key = ?`;
  return andThen(tx.run(sql, room, keyOf(jid.bare)), ({ changes }) => changes);
}

export const roomStore: StoreDefinition<RoomStore> = { migrations, open: storage => new RoomStore(storage) };
