import { andThen, type MaybePromise, type Statement, type Storage, type StoreDefinition } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { accountKey } from '../rooms/contract.ts';
import { AllowanceStore } from './allowance-store.ts';
import { type Claim, claimGroup, COUNT, type GroupKind, removeGroup } from './claiming.ts';
import { CursorStore } from './cursor-store.ts';
import { DueStore } from './due-store.ts';
import { FarewellStore } from './farewell-store.ts';
import { ALLOWANCES, CURSORS, GROUPS_TABLE, migrations, MUTES } from './schema.ts';
import { openWriting, type Writing } from './writing.ts';

export type { Claim, GroupKind } from './claiming.ts';

/** What everybody in a group is to know. */
export interface Announcement {
  readonly text: string;
  /** A bare address. */
  readonly by: string;
  /** Milliseconds since 1970, as all times here. */
  readonly at: number;
}

/** What is kept of a group beside its room. */
export interface StoredGroup {
  readonly kind: GroupKind;
  readonly number: number;
  /** `accountKey` of who made it; '' where that is not known. */
  readonly founder: string;
  readonly founded: number;
  readonly active: number;
  readonly mutedUntil: number;
  readonly announcement: Announcement | undefined;
}

interface Row {
  kind: GroupKind;
  number: number;
  founder: string;
  founded: number;
  active_at: number;
  muted_until: number;
  announcement: string | null;
  announced_by: string | null;
  announced_at: number | null;
}

/** Groups: their kinds, numbers and founders, who is muted, what was announced; beside them what belongs to their members. */
export class GroupStore {
  readonly allowances: AllowanceStore;
  readonly cursors: CursorStore;
  readonly farewells: FarewellStore;
  readonly due: DueStore;
  private readonly storage: Storage;
  private readonly group: Statement<Row>;
  private readonly muted: Statement<{ account: string; ends: number }>;
  private readonly byNumber: Statement<{ jid: string }>;
  private readonly counting: Statement<{ there: number }>;
  private readonly writing: Writing;

  constructor(storage: Storage) {
    this.storage = storage;
    this.group = storage.prepare(
      `select kind, number, founder, founded, active_at, muted_until, announcement, announced_by, announced_at
       from ${GROUPS_TABLE} where jid = ?`,
    );
    this.muted = storage.prepare(`select account, ends from ${MUTES} where jid = ?`);
    this.byNumber = storage.prepare(`select jid from ${GROUPS_TABLE} where number = ? and kind = ?`);
    this.counting = storage.prepare(COUNT);
    this.writing = openWriting(storage);
    this.allowances = new AllowanceStore(storage, this.writing);
    this.cursors = new CursorStore(storage, this.writing);
    this.farewells = new FarewellStore(storage, this.writing);
    this.due = new DueStore(storage, this.writing);
  }

  load(room: Jid): MaybePromise<{ group: StoredGroup; mutes: Map<string, number> } | undefined> {
    return andThen(this.group.get(room.bare), row =>
      row
        ? andThen(this.muted.all(room.bare), mutes => ({
            group: groupOf(row),
            mutes: new Map(mutes.map(({ account, ends }) => [account, Number(ends)])),
          }))
        : undefined,
    );
  }

  /** The room of the group with a number; discussions are not found by theirs. */
  async numbered(number: number): Promise<string | undefined> {
    return (await this.byNumber.get(number, 'group'))?.jid;
  }

  /**
   * Makes a room a group, or a group one of another kind, unless its founder has as many of the kind as they may: looked up and written
   * in one go, so that of many at once only so many succeed. The number of those that there are is what is returned then, else -1.
   */
  claim(claim: Claim): Promise<number> {
    return this.writing(tx => claimGroup(tx, claim));
  }

  /** How many of a kind somebody has founded in a domain that are there. */
  founded(founder: string, domain: string, kind: GroupKind): MaybePromise<number> {
    return andThen(this.counting.get(founder, domain, kind), row => Number(row?.there ?? 0));
  }

  /** It is no group any more; `ended`: only where its room was about to go, and no other has its name by now. */
  async remove(room: Jid, ended = false): Promise<void> {
    await this.writing(tx => removeGroup(tx, room, ended));
  }

  /** Somebody cannot speak until then; 0: can again. */
  async mute(room: Jid, account: Jid, until: number): Promise<void> {
    const key = accountKey(account.bare);
    await this.writing(tx =>
      andThen(tx.run(`delete from ${MUTES} where jid = ? and account = ?`, room.bare, key), () =>
        until === 0
          ? 0
          : andThen(
              tx.run(`insert into ${MUTES} (jid, account, ends) values (?, ?, ?)`, room.bare, key, until),
              () => 0,
            ),
      ),
    );
  }

  async muteAll(room: Jid, until: number): Promise<void> {
    const sql = `update ${GROUPS_TABLE} set muted_until = ? where jid = ?`;
    await this.writing(tx => andThen(tx.run(sql, until, room.bare), () => 0));
  }

  async announce(room: Jid, announcement: Announcement | undefined): Promise<void> {
    const { text = null, by = null, at = null } = announcement ?? {};
    const sql = `update ${GROUPS_TABLE} set announcement = ?, announced_by = ?, announced_at = ? where jid = ?`;
    await this.writing(tx => andThen(tx.run(sql, text, by, at, room.bare), () => 0));
  }

  /** Something was said in these groups at about that time. */
  async touch(rooms: readonly string[], now: number): Promise<void> {
    const sql = `update ${GROUPS_TABLE} set active_at = ? where jid = ?`;
    await Promise.all(rooms.map(room => this.writing(tx => andThen(tx.run(sql, now, room), () => 0))));
  }

  /** Discussions of a domain in which nothing was said since then. */
  async idle(domain: string, since: number, most: number): Promise<string[]> {
    const rows = await this.storage.read(q =>
      q<{ jid: string; domain: string; kind: string; active_at: number }>(GROUPS_TABLE)
        .where({ kind: 'discussion', domain })
        .where('active_at', '<', since)
        .orderBy('active_at')
        .limit(most)
        .select('jid'),
    );
    return rows.map(({ jid }) => jid);
  }

  /** All that are kept behind an address, in the order of addresses. */
  async after(jid: string, most: number): Promise<string[]> {
    const rows = await this.storage.read(q =>
      q<{ jid: string }>(GROUPS_TABLE).where('jid', '>', jid).orderBy('jid').limit(most).select('jid'),
    );
    return rows.map(row => row.jid);
  }

  /** The groups in which somebody is muted, by their addresses. */
  async mutedIn(account: Jid): Promise<string[]> {
    const rows = await this.storage.read(q =>
      q<{ jid: string; account: string }>(MUTES)
        .where({ account: accountKey(account.bare) })
        .select('jid'),
    );
    return rows.map(row => row.jid);
  }

  /** Of an account that is there no more nothing is kept. */
  async forgetAccount(account: Jid): Promise<void> {
    const key = accountKey(account.bare);
    await this.writing(tx =>
      [ALLOWANCES, MUTES, CURSORS].reduce<MaybePromise<number>>(
        (before, table) =>
          andThen(before, () => andThen(tx.run(`delete from ${table} where account = ?`, key), () => 0)),
        // the next of that name has founded none of them
        andThen(tx.run(`update ${GROUPS_TABLE} set founder = '' where founder = ?`, key), () => 0),
      ),
    );
  }
}

function groupOf(row: Row): StoredGroup {
  return {
    kind: row.kind,
    number: Number(row.number),
    founder: row.founder,
    founded: Number(row.founded),
    active: Number(row.active_at),
    mutedUntil: Number(row.muted_until),
    announcement:
      row.announcement === null
        ? undefined
        : { text: row.announcement, by: row.announced_by ?? '', at: Number(row.announced_at) },
  };
}

export const groupStore: StoreDefinition<GroupStore> = { migrations, open: storage => new GroupStore(storage) };
