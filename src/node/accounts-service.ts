import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Logger } from 'pino';
import type { AccountsView, AccountView } from '../api/node-view.ts';
import type { Points, SessionView } from '../bus/index.ts';
import { Jid } from '../jid/index.ts';
import type { StreamError } from '../protocol/index.ts';
import type { Users } from '../session/users.ts';
import { type Storage, StorageError } from '../storage/index.ts';
import {
  deriveScramKeys,
  inventCredential,
  saslPrepStored,
  type SaslBackend,
  type ScramHash,
} from '../stream/sasl/index.ts';
import { Loaded } from '../util/loaded.ts';
import { type MaybePromise, andThen } from '../util/maybe.ts';
import { type AccountRow, AccountStore, type Credentials, LONGEST_HOST, LONGEST_LOCAL } from './accounts/store.ts';

const SALT = 16; // bytes
/** The hashes that a password sent by PLAIN is checked with, the cheapest that is sound first: the first one that there are keys for. */
const PLAIN_HASHES: readonly ScramHash[] = ['sha256', 'sha512', 'sha1'];
const CACHE = 20_000;

interface Parts {
  readonly storage: Storage;
  readonly users: Users;
  readonly points: Points;
  readonly iterations: () => number;
  readonly log: Logger;
  /** Ends an account's sessions; resolved when what they had under way is done. */
  readonly endSessions: (jid: Jid, error: StreamError) => Promise<void>;
  /** What clients keep of accounts. */
  readonly clients: () => {
    passwordChanged(jid: Jid, by?: string): Promise<void>;
    accountRemoved(jid: Jid): Promise<void>;
  };
}

/** The accounts of an installation: their life, and how their passwords are proved. */
export class AccountsService implements AccountsView {
  private readonly parts: Parts;
  private store!: AccountStore;
  /** Keeps made-up salts of unknown names the same: an unknown name looks like a known one. */
  private pepper!: Buffer;
  /** Whether an account is there, by bare JID. */
  private readonly known = new Loaded<boolean>(CACHE);

  constructor(parts: Parts) {
    this.parts = parts;
  }

  async open(): Promise<void> {
    this.store = await AccountStore.open(this.parts.storage);
    this.pepper = await this.store.secret('unknown-account-salts');
  }

  exists(jid: Jid): MaybePromise<boolean> {
    if (this.parts.users.get(jid.bare)) return true;
    return (
      this.known.get(jid.bare) ?? this.known.load(jid.bare, andThen(this.store.get(jid.domain, jid.local), isThere))
    );
  }

  async get(jid: Jid): Promise<AccountView | undefined> {
    const row = await this.store.get(jid.domain, jid.local);
    return row && view(row);
  }

  async create(jid: Jid, password: string): Promise<'created' | 'exists' | 'invalid' | 'too-long'> {
    if (isTooLong(jid)) return 'too-long';
    const prepared = saslPrepStored(password);
    if (prepared === undefined || prepared === '') return 'invalid';
    if (await this.store.get(jid.domain, jid.local)) return 'exists';
    const credentials = await this.derive(prepared);
    if (!(await this.store.insert(jid.domain, jid.local, credentials, Date.now()))) return 'exists';
    this.known.set(jid.bare, true);
    await this.parts.points.accountCreated.settle(jid.toBare());
    return 'created';
  }

  /** Makes an account with a password that is known by its keys only; without them nobody knows it. */
  async adopt(jid: Jid, credentials?: Credentials): Promise<'created' | 'exists' | 'too-long'> {
    if (isTooLong(jid)) return 'too-long';
    const own = credentials ?? (await this.derive(randomBytes(32).toString('base64')));
    if (!(await this.store.insert(jid.domain, jid.local, own, Date.now()))) return 'exists';
    this.known.set(jid.bare, true);
    await this.parts.points.accountCreated.settle(jid.toBare());
    return 'created';
  }

  /** What is kept of an account's password. */
  async credentials(jid: Jid): Promise<Credentials | undefined> {
    return (await this.store.get(jid.domain, jid.local))?.credentials;
  }

  async setPassword(jid: Jid, password: string, by?: SessionView): Promise<'set' | 'unknown' | 'invalid'> {
    const prepared = saslPrepStored(password);
    if (prepared === undefined || prepared === '') return 'invalid';
    if (!(await this.store.get(jid.domain, jid.local))) return 'unknown';
    if (!(await this.store.setCredentials(jid.domain, jid.local, await this.derive(prepared)))) return 'unknown';
    // whoever knew the old one is out, tokens and all
    await this.parts.clients().passwordChanged(jid, by && this.parts.users.session(by.jid.full)?.client);
    return 'set';
  }

  async setStatus(jid: Jid, status: 'active' | 'disabled'): Promise<boolean> {
    const done = await this.store.setStatus(jid.domain, jid.local, status);
    if (done && status === 'disabled') this.parts.points.accountDisabled.tell(jid.toBare());
    return done;
  }

  async remove(jid: Jid): Promise<boolean> {
    if (!(await this.store.get(jid.domain, jid.local))) return false;
    // no login between the last session and the end
    await this.store.setStatus(jid.domain, jid.local, 'disabled');
    // nor anything that would be kept for whoever has the name next
    this.known.set(jid.bare, false);
    try {
      await this.parts.endSessions(jid, { condition: 'not-authorized', text: 'The account was removed.' });
      await this.parts.points.accountRemoved.settle(jid.toBare());
      await this.parts.clients().accountRemoved(jid);
      await this.store.remove(jid.domain, jid.local);
    } finally {
      this.known.delete(jid.bare);
    }
    return true;
  }

  async list(host: string, after = '', limit = 1000): Promise<AccountView[]> {
    return (await this.store.list(host, after, limit)).map(view);
  }

  count(host: string): Promise<number> {
    return this.store.count(host);
  }

  /** Notes that an account was used just now. */
  noteLogin(jid: Jid): void {
    this.store.noteLogin(jid.domain, jid.local, Date.now()).catch((error: unknown) => {
      this.parts.log[error instanceof StorageError && error.told ? 'debug' : 'warn'](
        { err: error, account: jid.bare },
        'the time of a login could not be noted',
      );
    });
  }

  /** What SASL asks of a host's accounts. */
  backend(host: string): SaslBackend {
    return {
      scram: (local, hash) =>
        andThen(this.store.get(host, local), row => {
          if (!row) return inventCredential(this.pepper, `${local}@${host}`, hash, this.parts.iterations(), SALT);
          const { salt, iterations, keys } = row.credentials;
          const own = keys[hash];
          if (own) return { salt, iterations, ...own, status: row.status };
          // no password is right by this mechanism
          return { ...inventCredential(this.pepper, `${local}@${host}`, hash, iterations, SALT), salt };
        }),
      plain: (local, password) => this.verify(host, local, password),
      status: local => andThen(this.store.status(host, local), status => status ?? 'unknown'),
      anonymous: () => randomBytes(12).toString('hex'),
    };
  }

  private async verify(host: string, local: string, password: string): Promise<'ok' | 'disabled' | 'wrong'> {
    const row = await this.store.get(host, local);
    const wanted = this.parts.iterations();
    // an unknown account costs what a known one costs
    const keys = row?.credentials.keys;
    const hash = PLAIN_HASHES.find(each => keys?.[each]) ?? PLAIN_HASHES[0]!;
    const { salt, iterations } =
      row?.credentials ?? inventCredential(this.pepper, `${local}@${host}`, hash, wanted, SALT);
    const { storedKey } = await deriveScramKeys(hash, password, salt, iterations);
    const expected = keys?.[hash]?.storedKey ?? Buffer.alloc(storedKey.length);
    if (!timingSafeEqual(storedKey, expected) || !row) return 'wrong';
    // that took its time, the more so when many log in
    const now = await this.store.get(host, local);
    if (!now?.credentials.salt.equals(salt)) return this.verify(host, local, password);
    if (now.status === 'disabled') return 'disabled';
    // the password is known now, and right: so are the keys for all mechanisms
    if (iterations >= wanted && PLAIN_HASHES.every(each => keys?.[each])) return 'ok';
    const raised = await this.derive(password);
    if (await this.store.replaceCredentials(host, local, row.credentials, raised)) return 'ok';
    // another login was first, or the password is another one by now
    return this.verify(host, local, password);
  }

  /** Salted keys for all mechanisms; the work is done on the thread pool. */
  private async derive(password: string): Promise<Credentials> {
    const salt = randomBytes(SALT);
    const iterations = this.parts.iterations();
    const [sha1, sha256, sha512] = await Promise.all(
      (['sha1', 'sha256', 'sha512'] as const).map(hash => deriveScramKeys(hash, password, salt, iterations)),
    );
    return { salt, iterations, keys: { sha1: sha1!, sha256: sha256!, sha512: sha512! } };
  }
}

function isTooLong({ local, domain }: Jid): boolean {
  return local.length > LONGEST_LOCAL || domain.length > LONGEST_HOST;
}

function isThere(row: AccountRow | undefined): boolean {
  return row !== undefined;
}

function view(row: AccountRow): AccountView {
  return {
    jid: new Jid(row.local, row.host, ''),
    status: row.status,
    createdAt: row.createdAt,
    lastLogin: row.lastLogin,
  };
}
