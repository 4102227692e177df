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
import { configFromJson, DEFAULTS, type RoomConfig } from './config.ts';
import type { Affiliated, AffiliationChange, Application, KeptRoom, KeptSubject, NewRoom } from './keeping.ts';
import { RoomLists } from './lists.ts';
import { AFFILIATIONS, APPLICATIONS, CARDS, keyOf, migrations, ROOMS } from './schema.ts';

/** Affiliations that are read in one go; others get their turn between two. */
export const PAGE = 500;

interface RoomRow {
  id: number;
  config: string;
  locked: number;
  secret: string;
  subject: string | null;
  subject_nick: string | null;
  subject_at: number | null;
  created: number;
  avatar: string;
}

type AffiliationRow = Affiliated & { jid_key: string };

interface ApplicationRow {
  jid: string;
  form: string;
  applied: number;
}

/** Something that is written. */
interface Write {
  run(tx: BatchTransaction): MaybePromise<unknown>;
}

/**
 * Rooms: what their owners chose, who has which affiliation, who asks to be a member, the subject, the avatar. Everything is written in
 * the order in which it was given, and is committed when its promise is resolved. What is written of a room that is not there is nothing.
 */
export class RoomStore {
  readonly lists: RoomLists;
  private readonly room: Statement<RoomRow>;
  private readonly affiliations: Statement<AffiliationRow>;
  private readonly applications: Statement<ApplicationRow>;
  private readonly cardOf: Statement<{ card: string }>;
  private readonly writing: BatchWriter<Write, unknown>;

  constructor(storage: Storage) {
    this.lists = new RoomLists(storage);
    this.room = storage.prepare(
      `select id, config, locked, secret, subject, subject_nick, subject_at, created, avatar from ${ROOMS} where jid = ?`,
    );
    this.affiliations = storage.prepare(
      `select jid_key, jid, affiliation, nick, reason, since from ${AFFILIATIONS} where room = ? and jid_key > ?
       order by jid_key limit ${PAGE}`,
    );
    this.applications = storage.prepare(
      `select jid, form, applied from ${APPLICATIONS} where room = ? order by applied, jid_key`,
    );
    this.cardOf = storage.prepare(`select card from ${CARDS} where room = (select id from ${ROOMS} where jid = ?)`);
    this.writing = storage.batch<Write, unknown>({ name: 'rooms', write: (tx, row) => row.run(tx) });
  }

  /** A room with all that belongs to it, at once where the database answers at once and it has not many affiliations. */
  load(room: Jid): MaybePromise<KeptRoom | undefined> {
    return andThen(this.room.get(room.bare), row => {
      if (!row) return undefined;
      const affiliations: Affiliated[] = [];
      return andThen(this.readPage(row.id, '', affiliations), last =>
        andThen(last === undefined ? undefined : this.readRest(row.id, last, affiliations), () =>
          andThen(this.applications.all(row.id), waiting => kept(row, affiliations, waiting)),
        ),
      );
    });
  }

  /** Reads a page of affiliations; the key to go on from, if there may be more. */
  private readPage(id: number, after: string, into: Affiliated[]): MaybePromise<string | undefined> {
    return andThen(this.affiliations.all(id, after), rows => {
      for (const { jid, affiliation, nick, reason, since } of rows)
        into.push({ jid, affiliation, nick, reason, since: Number(since) });
      return rows.length < PAGE ? undefined : rows.at(-1)!.jid_key;
    });
  }

  private async readRest(id: number, after: string, into: Affiliated[]): Promise<void> {
    for (let last: string | undefined = after; last !== undefined;) {
      await new Promise(resolve => setImmediate(resolve));
      last = await this.readPage(id, last, into);
    }
  }

  /** Makes a room. Rejects with a StorageError of the kind 'constraint' where there is one of that address. */
  create(room: Jid, made: NewRoom): Promise<void> {
    const creator = made.affiliations.find(({ affiliation }) => affiliation === 'owner')?.jid ?? '';
    return this.write(tx =>
      andThen(
        tx.run(
          `insert into ${ROOMS} (jid, domain, creator, created, secret, config, listed, temporary, locked,
             subject, subject_nick, subject_at, avatar) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '[]')`,
          room.bare,
          room.domain,
          keyOf(creator),
          made.createdAt,
          made.secret,
          ...configured(made.config, made.locked),
          made.subject?.text ?? null,
          made.subject?.nick ?? null,
          made.subject?.at ?? null,
        ),
        ({ id }) => inTurn(made.affiliations, each => insert(tx, id, each)),
      ),
    );
  }

  /** What its owners choose from now on, whether it is locked, and whom they name with it. */
  configure(room: Jid, config: RoomConfig, locked: boolean, changes: readonly AffiliationChange[] = []): Promise<void> {
    return this.change(room, (tx, id) =>
      andThen(
        tx.run(
          `update ${ROOMS} set config = ?, listed = ?, temporary = ?, locked = ? where id = ?`,
          ...configured(config, locked),
          id,
        ),
        () => affiliate(tx, id, changes),
      ),
    );
  }

  /** All of them or none. Who asked to become a member and is something now does not wait any more. */
  affiliate(room: Jid, changes: readonly AffiliationChange[]): Promise<void> {
    return this.change(room, (tx, id) => affiliate(tx, id, changes));
  }

  setSubject(room: Jid, { text, nick, at }: KeptSubject): Promise<void> {
    const sql = `update ${ROOMS} set subject = ?, subject_nick = ?, subject_at = ? where jid = ?`;
    return this.write(tx => tx.run(sql, text, nick, at, room.bare));
  }

  /** Keeps that somebody asks to become a member; what the same asked before is forgotten. */
  apply(room: Jid, { jid, form, applied }: Application): Promise<void> {
    const sql = `insert into ${APPLICATIONS} (room, jid_key, jid, form, applied) values (?, ?, ?, ?, ?)`;
    return this.change(room, (tx, id) =>
      andThen(forget(tx, id, jid), () => tx.run(sql, id, keyOf(jid), jid, JSON.stringify(form), applied)),
    );
  }

  forgetApplication(room: Jid, jid: string): Promise<void> {
    return this.change(room, (tx, id) => forget(tx, id, jid));
  }

  /** The vCard of a room (XEP-0486), as XML. */
  card(room: Jid): MaybePromise<string | undefined> {
    return andThen(this.cardOf.get(room.bare), row => row?.card);
  }

  setCard(room: Jid, card: string | undefined, avatarHashes: readonly string[]): Promise<void> {
    return this.change(room, (tx, id) =>
      andThen(tx.run(`delete from ${CARDS} where room = ?`, id), () =>
        andThen(
          card === undefined ? undefined : tx.run(`insert into ${CARDS} (room, card) values (?, ?)`, id, card),
          () => tx.run(`update ${ROOMS} set avatar = ? where id = ?`, JSON.stringify(avatarHashes), id),
        ),
      ),
    );
  }

  /** Everything that is kept of it. */
  remove(room: Jid): Promise<void> {
    return this.change(room, (tx, id) =>
      andThen(tx.run(`delete from ${ROOMS} where id = ?`, id), () =>
        inTurn([AFFILIATIONS, APPLICATIONS, CARDS], table => tx.run(`delete from ${table} where room = ?`, id)),
      ),
    );
  }

  private change(room: Jid, work: (tx: BatchTransaction, id: number) => MaybePromise<unknown>): Promise<void> {
    return this.write(tx =>
      andThen(tx.get<{ id: number }>(`select id from ${ROOMS} where jid = ?`, room.bare), row =>
        row ? work(tx, Number(row.id)) : undefined,
      ),
    );
  }

  private async write(run: Write['run']): Promise<void> {
    await this.writing.write({ run });
  }
}

function configured(config: RoomConfig, locked: boolean): [string, number, number, number] {
  return [JSON.stringify(config), config.listed && !locked ? 1 : 0, config.persistent ? 0 : 1, locked ? 1 : 0];
}

/** One after the other, at once where nothing waits. */
function inTurn<T>(items: readonly T[], work: (item: T) => MaybePromise<unknown>): MaybePromise<unknown> {
  return items.reduce<MaybePromise<unknown>>((before, item) => andThen(before, () => work(item)), undefined);
}

function affiliate(tx: BatchTransaction, id: number, changes: readonly AffiliationChange[]): MaybePromise<unknown> {
  const remove = `delete from ${AFFILIATIONS} where room = ? and jid_key = ?`;
  return inTurn(changes, ({ jid, to }) =>
    andThen(tx.run(remove, id, keyOf(jid)), () =>
      to === undefined ? undefined : andThen(insert(tx, id, to), () => forget(tx, id, jid)),
    ),
  );
}

function insert(tx: BatchTransaction, id: number, { jid, affiliation, nick, reason, since }: Affiliated) {
  const sql = `insert into ${AFFILIATIONS} (room, jid_key, jid, affiliation, nick, reason, since) values (?, ?, ?, ?, ?, ?, ?)`;
  return tx.run(sql, id, keyOf(jid), jid, affiliation, nick, reason, since);
}

function forget(tx: BatchTransaction, id: number, jid: string): MaybePromise<unknown> {
  return tx.run(`delete from ${APPLICATIONS} where room = ? and jid_key = ?`, id, keyOf(jid));
}

function kept(row: RoomRow, affiliations: readonly Affiliated[], waiting: readonly ApplicationRow[]): KeptRoom {
  const { subject, subject_nick, subject_at } = row;
  return {
    config: configFromJson(row.config, DEFAULTS),
    subject: subject === null ? undefined : { text: subject, nick: subject_nick ?? '', at: Number(subject_at) },
    locked: Number(row.locked) === 1,
    secret: row.secret,
    createdAt: Number(row.created),
    affiliations,
    applications: waiting.map(({ jid, form, applied }) => ({
      jid,
      form: JSON.parse(form) as Record<string, string>,
      applied: Number(applied),
    })),
    avatarHashes: JSON.parse(row.avatar) as string[],
  };
}

export const roomStore: StoreDefinition<RoomStore> = { migrations, open: storage => new RoomStore(storage) };
