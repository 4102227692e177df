import {
  type MaybePromise,
  type Statement,
  type Storage,
  StorageError,
  type StoreDefinition,
  type Transactor,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { FOLD } from './fold.ts';
import { HOSTS, migrations, NO, partOf, PEOPLE, TERMS, UNSAID, YES } from './schema.ts';
import { type Rank, termsOf } from './terms.ts';

/** What somebody has said of being found; undefined: nothing. */
export type Choice = boolean | undefined;

/** What somebody is called. */
export interface Names {
  readonly nick: string;
  readonly first: string;
  readonly last: string;
  /** All of them, and others, folded: what is searched. */
  readonly all: readonly string[];
}

/** What the directory has of an account. */
export interface Person extends Names {
  readonly account: string;
  readonly byNumber: Choice;
  readonly byName: Choice;
  readonly number: string | undefined;
}

/** What is changed of it; the rest stays. */
export interface Change {
  readonly names?: Names;
  /** 'default': as if nothing had been said. */
  readonly byNumber?: boolean | 'default';
  readonly byName?: boolean | 'default';
  /** '' for none. */
  readonly number?: string;
}

/** A person of whose terms one was looked for. */
export interface Match {
  readonly id: number;
  readonly person: Person;
}

interface Row {
  readonly id: number;
  readonly account: string;
  readonly host: number;
  readonly by_number: number;
  readonly by_name: number;
  readonly number: string | null;
  readonly nick: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly names: string;
}

const COLUMNS = 'p.id, p.account, p.by_number, p.by_name, p.number, p.nick, p.first_name, p.last_name, p.names';
const NOBODY: Omit<Row, 'id' | 'account' | 'host'> = {
  by_number: UNSAID,
  by_name: UNSAID,
  number: null,
  nick: '',
  first_name: '',
  last_name: '',
  names: '',
};
class NumberTaken extends Error {}

/** Behind all that begins with a text. */
const HIGHEST = '\u{10ffff}';
/** Rows of one statement. */
const TOGETHER = 100;

/** The people of the hosts, and an index of what they are called (terms.ts). Accounts are bare. */
export class DirectoryStore {
  private readonly storage: Storage;
  private readonly hosts = new Map<string, number>();
  private readonly ofAccount: Statement<Row>;
  private readonly ofNumber: Statement<Row>;
  private readonly named: Statement<Row>;
  private readonly counted: Statement<{ n: number }>;

  constructor(storage: Storage) {
    this.storage = storage;
    this.ofAccount = storage.prepare(`select ${COLUMNS} from ${PEOPLE} p where p.account = ?`);
    this.ofNumber = storage.prepare(`select ${COLUMNS} from ${PEOPLE} p where p.host = ? and p.number = ?`);
    // 'cross' tells SQLite where to begin
    this.named = storage.prepare(
      `select ${COLUMNS} from ${TERMS} t cross join ${PEOPLE} p
       where p.id = t.person and t.host = ? and t.part = ? and t.term >= ? and t.term <= ?
       order by t.host, t.part, t.term, t.person limit ? offset ?`,
    );
    this.counted = storage.prepare(
      `select count(*) as n from
         (select 1 from ${TERMS} where host = ? and part = ? and term >= ? and term <= ? limit ?) as begun`,
    );
  }

  /** How many terms there are that begin so, but no more than `most`: it costs as much as they are. */
  async frequency(host: string, { rank, said, text }: Pick<Looking, 'rank' | 'said' | 'text'>, most: number) {
    const part = partOf(rank, said ? YES : UNSAID);
    return Number((await this.counted.get(await this.hostId(host), part, text, text + HIGHEST, most))!.n);
  }

  async get(account: Jid): Promise<Person | undefined> {
    const row = await this.ofAccount.get(account.bare);
    return row && personOf(row);
  }

  async withNumber(host: string, number: string): Promise<Person | undefined> {
    const row = await this.ofNumber.get(await this.hostId(host), number);
    return row && personOf(row);
  }

  /**
   * Those of whose terms of a rank one is a text, or begins with it: in the order of terms, `limit` of them behind the first `offset`.
   * `said`: of those who have said yes, or of those who have said nothing.
   */
  async matching(host: string, { rank, said, text, whole, limit, offset }: Looking): Promise<Match[]> {
    const part = partOf(rank, said ? YES : UNSAID);
    const rows = await this.named.all(
      await this.hostId(host),
      part,
      text,
      whole ? text : text + HIGHEST,
      limit,
      offset,
    );
    return rows.map(row => ({ id: Number(row.id), person: personOf(row) }));
  }

  /** Changes what is kept of some accounts, in one transaction. 'taken': somebody else of the host has the number; nothing is changed then. */
  async change(host: string, changes: readonly (readonly [Jid, Change])[]): Promise<'changed' | 'taken'> {
    const id = await this.hostId(host);
    try {
      await this.storage.transact(async tx => {
        for (const [account, change] of changes) {
          const { number } = change;
          if (number !== undefined && number !== '') {
            const other = await tx<Row>(PEOPLE).where({ host: id, number }).first('account');
            // what was changed before is taken back
            if (other && other.account !== account.bare) throw new NumberTaken();
          }
          await write(tx, id, account.bare, change);
        }
      });
      return 'changed';
    } catch (error) {
      // or another node was faster
      if (error instanceof NumberTaken || (error instanceof StorageError && error.kind === 'constraint'))
        return 'taken';
      throw error;
    }
  }

  async remove(account: Jid): Promise<void> {
    await this.storage.transact(async tx => {
      const row = await tx<Row>(PEOPLE).where({ account: account.bare }).first();
      if (!row) return;
      await drop(tx, row.host, row.id, listed(row));
      await tx(PEOPLE).where({ id: row.id }).delete();
    });
  }

  /** The account up to which the names of a host's accounts were gathered; undefined when all were. */
  async gathered(host: string): Promise<string | undefined> {
    await this.hostId(host);
    const row = await this.storage.read(q =>
      q<{ host: string; gathered: string | null; fold: number }>(HOSTS).where({ host }).first('gathered', 'fold'),
    );
    if (Number(row!.fold) === FOLD) return row!.gathered ?? undefined;
    await this.refold(host);
    return '';
  }

  async setGathered(host: string, upTo: string | undefined): Promise<void> {
    await this.hostId(host);
    await this.storage.transact(tx =>
      tx(HOSTS)
        .where({ host })
        .update({ gathered: upTo ?? null }),
    );
  }

  /** The terms of a host were made by other rules: none of them counts. They come again as its accounts are gathered. */
  private async refold(host: string): Promise<void> {
    const id = await this.hostId(host);
    await this.storage.transact(async tx => {
      await tx(TERMS).where({ host: id }).delete();
      await tx(PEOPLE).where({ host: id }).update({ nick: '', first_name: '', last_name: '', names: '' });
      await tx(HOSTS).where({ host }).update({ fold: FOLD, gathered: '' });
    });
  }

  private hostId(host: string): MaybePromise<number> {
    return this.hosts.get(host) ?? this.makeHost(host);
  }

  private async makeHost(host: string): Promise<number> {
    const id = await this.storage.transact(async tx => {
      const known = await tx<{ id: number; host: string }>(HOSTS).where({ host }).first('id');
      if (known) return Number(known.id);
      await tx(HOSTS).insert({ host, fold: FOLD, gathered: '' });
      const made = await tx<{ id: number; host: string }>(HOSTS).where({ host }).first('id');
      return Number(made!.id);
    });
    this.hosts.set(host, id);
    return id;
  }
}

export interface Looking {
  readonly rank: Rank;
  readonly said: boolean;
  readonly text: string;
  readonly whole: boolean;
  readonly limit: number;
  readonly offset: number;
}

async function write(tx: Transactor, host: number, account: string, change: Change): Promise<void> {
  const before = await tx<Row>(PEOPLE).where({ account }).first();
  const { id: _, ...kept } = before ?? { ...NOBODY, id: 0 };
  const after = { ...kept, ...columnsOf(change), account, host };
  const old = before ? listed(before) : [];
  const wanted = listed(after);
  if (after.by_number === UNSAID && after.by_name === UNSAID && after.number === null && after.names === '') {
    if (!before) return;
    await drop(tx, host, before.id, old);
    await tx(PEOPLE).where({ id: before.id }).delete();
    return;
  }
  if (before) await tx(PEOPLE).where({ id: before.id }).update(after);
  else await tx(PEOPLE).insert(after);
  const id = before?.id ?? (await tx<Row>(PEOPLE).where({ account }).first('id'))!.id;
  const [had, has] = [new Set(old.map(keyOf)), new Set(wanted.map(keyOf))];
  await drop(
    tx,
    host,
    id,
    old.filter(one => !has.has(keyOf(one))),
  );
  const added = wanted.filter(one => !had.has(keyOf(one)));
  for (let i = 0; i < added.length; i += TOGETHER)
    await tx(TERMS).insert(added.slice(i, i + TOGETHER).map(({ part, term }) => ({ host, part, term, person: id })));
}

interface Listed {
  readonly part: number;
  readonly term: string;
}

/** The terms under which a person stands in the index: always the same for the same row. */
function listed({ by_name, names, first_name, last_name }: Omit<Row, 'id'>): Listed[] {
  const choice = Number(by_name);
  if (choice === NO || names === '') return [];
  return termsOf(names.split('\n'), [first_name, last_name]).map(({ rank, text }) => ({
    part: partOf(rank, choice === YES ? YES : UNSAID),
    term: text,
  }));
}

const keyOf = ({ part, term }: Listed): string => `${part} ${term}`;

async function drop(tx: Transactor, host: number, person: number, terms: readonly Listed[]): Promise<void> {
  for (const part of new Set(terms.map(one => one.part))) {
    const own = terms.filter(one => one.part === part).map(one => one.term);
    for (let i = 0; i < own.length; i += TOGETHER)
      await tx(TERMS)
        .where({ host, part, person })
        .whereIn('term', own.slice(i, i + TOGETHER))
        .delete();
  }
}

function columnsOf({ names, byNumber, byName, number }: Change): Partial<Row> {
  return {
    ...(names && {
      nick: names.nick,
      first_name: names.first,
      last_name: names.last,
      names: names.all.join('\n'),
    }),
    ...(byNumber !== undefined && { by_number: choiceColumn(byNumber) }),
    ...(byName !== undefined && { by_name: choiceColumn(byName) }),
    ...(number !== undefined && { number: number === '' ? null : number }),
  };
}

function choiceColumn(choice: boolean | 'default'): number {
  if (choice === 'default') return UNSAID;
  return choice ? YES : NO;
}

function choiceOf(column: number): Choice {
  return Number(column) === UNSAID ? undefined : Number(column) === YES;
}

function personOf(row: Row): Person {
  return {
    account: row.account,
    byNumber: choiceOf(row.by_number),
    byName: choiceOf(row.by_name),
    number: row.number ?? undefined,
    nick: row.nick,
    first: row.first_name,
    last: row.last_name,
    all: row.names === '' ? [] : row.names.split('\n'),
  };
}

export const directoryStore: StoreDefinition<DirectoryStore> = {
  migrations,
  open: storage => new DirectoryStore(storage),
};
