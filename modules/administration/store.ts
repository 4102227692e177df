import type { Storage, StoreDefinition } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';

export type AnnouncementKind = 'motd' | 'welcome';

export interface Announcement {
  readonly text: string;
  /** Grows with each text of that kind and host. */
  readonly number: number;
}

const TABLE = 'announcements';
const SEEN = 'announcements_seen';

/** The texts of each host, and which accounts have seen the newest. */
export class AnnouncementsStore {
  private readonly storage: Storage;
  private readonly texts = new Map<string, Announcement>();

  private constructor(storage: Storage) {
    this.storage = storage;
  }

  static async open(storage: Storage): Promise<AnnouncementsStore> {
    const store = new AnnouncementsStore(storage);
    const rows = await storage.read(q =>
      q<{ host: string; kind: string; text: string; number: number }>(TABLE).select(),
    );
    for (const { host, kind, text, number } of rows) store.texts.set(`${kind} ${host}`, { text, number });
    return store;
  }

  /** Whether a host has anything to say. */
  any(host: string): boolean {
    return this.texts.has(`motd ${host}`) || this.texts.has(`welcome ${host}`);
  }

  async get(host: string, kind: AnnouncementKind): Promise<Announcement | undefined> {
    return this.texts.get(`${kind} ${host}`);
  }

  /** Sets a text; undefined takes it away. */
  async set(host: string, kind: AnnouncementKind, text: string | undefined): Promise<void> {
    // grows even within a millisecond, and when the clock goes back
    const number = Math.max(Date.now(), (this.texts.get(`${kind} ${host}`)?.number ?? 0) + 1);
    await this.storage.transact(async tx => {
      await tx(TABLE).where({ host, kind }).delete();
      if (text !== undefined) await tx(TABLE).insert({ host, kind, text, number });
    });
    if (text === undefined) this.texts.delete(`${kind} ${host}`);
    else this.texts.set(`${kind} ${host}`, { text, number });
  }

  /** An account was made: it has the welcome before it. */
  async newcomer(jid: Jid): Promise<void> {
    if (!this.texts.has(`welcome ${jid.domain}`)) return;
    await this.mark(jid, 'welcome', 0);
  }

  async forget(jid: Jid): Promise<void> {
    await this.storage.transact(tx => tx(SEEN).where({ account: jid.bare }).delete());
  }

  /** The texts that an account has not seen; they count as seen from now on. */
  async unseen(jid: Jid): Promise<string[]> {
    const rows = await this.storage.read(q =>
      q<{ account: string; kind: string; number: number }>(SEEN).where({ account: jid.bare }).select(),
    );
    const seen = new Map(rows.map(row => [row.kind, Number(row.number)]));
    const texts: string[] = [];
    const welcome = this.texts.get(`welcome ${jid.domain}`);
    if (welcome && seen.get('welcome') === 0) {
      texts.push(welcome.text);
      await this.mark(jid, 'welcome', welcome.number);
    }
    const motd = this.texts.get(`motd ${jid.domain}`);
    if (motd && (seen.get('motd') ?? 0) < motd.number) {
      texts.push(motd.text);
      await this.mark(jid, 'motd', motd.number);
    }
    return texts;
  }

  /** Accounts (bare JIDs) that have seen the message of the day. */
  async markSeen(accounts: readonly string[], host: string): Promise<void> {
    const motd = this.texts.get(`motd ${host}`);
    if (!motd) return;
    for (let i = 0; i < accounts.length; i += 200) {
      const some = accounts.slice(i, i + 200);
      await this.storage.transact(async tx => {
        await tx(SEEN).whereIn('account', some).andWhere({ kind: 'motd' }).delete();
        await tx(SEEN).insert(some.map(account => ({ account, kind: 'motd', number: motd.number })));
      });
    }
  }

  private async mark(jid: Jid, kind: AnnouncementKind, number: number): Promise<void> {
    await this.storage.transact(async tx => {
      await tx(SEEN).where({ account: jid.bare, kind }).delete();
      await tx(SEEN).insert({ account: jid.bare, kind, number });
    });
  }
}

export const announcementsStore: StoreDefinition<AnnouncementsStore> = {
  migrations: [
    {
      name: '001-announcements',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.string('host', 191).notNullable();
          table.string('kind', 16).notNullable();
          table.text('text', 'mediumtext').notNullable();
          table.bigInteger('number').notNullable();
          table.primary(['host', 'kind']);
        });
        await schema.createTable(SEEN, table => {
          table.string('account', 191).notNullable();
          table.string('kind', 16).notNullable();
          table.bigInteger('number').notNullable();
          table.index(['account']);
        });
      },
    },
  ],
  open: storage => AnnouncementsStore.open(storage),
};

const ADMINISTRATORS = 'administrators';

/** Who administers each host beside those whom the configuration names. */
export class AdministratorsStore {
  private readonly storage: Storage;
  private readonly known = new Map<string, readonly Jid[]>();

  private constructor(storage: Storage) {
    this.storage = storage;
  }

  static async open(storage: Storage): Promise<AdministratorsStore> {
    const store = new AdministratorsStore(storage);
    const rows = await storage.read(q => q<{ host: string; jid: string }>(ADMINISTRATORS).select().orderBy('jid'));
    for (const { host, jid } of rows) {
      const parsed = parseJid(jid);
      if (parsed) store.known.set(host, [...store.of(host), parsed]);
    }
    return store;
  }

  of(host: string): readonly Jid[] {
    return this.known.get(host) ?? [];
  }

  /** Puts these in the place of those that were there. */
  async set(host: string, jids: readonly Jid[]): Promise<void> {
    await this.storage.transact(async tx => {
      await tx(ADMINISTRATORS).where({ host }).delete();
      if (jids.length > 0) await tx(ADMINISTRATORS).insert(jids.map(jid => ({ host, jid: jid.bare })));
    });
    this.known.set(host, [...jids]);
  }

  /** An account is no more: it administers nothing. */
  async forget(jid: Jid): Promise<void> {
    for (const [host, jids] of this.known) {
      if (jids.some(other => other.bare === jid.bare))
        await this.set(
          host,
          jids.filter(other => other.bare !== jid.bare),
        );
    }
  }
}

export const administratorsStore: StoreDefinition<AdministratorsStore> = {
  migrations: [
    {
      name: '001-administrators',
      up: async schema => {
        await schema.createTable(ADMINISTRATORS, table => {
          table.increments('id');
          table.string('host', 191).notNullable();
          table.text('jid').notNullable();
          table.index(['host']);
        });
      },
    },
  ],
  open: storage => AdministratorsStore.open(storage),
};
