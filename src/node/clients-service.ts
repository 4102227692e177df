import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { ClientsView, ClientView } from '../api/node-view.ts';
import type { Jid } from '../jid/index.ts';
import type { Session } from '../session/session.ts';
import type { Users } from '../session/users.ts';
import { type Storage, StorageError } from '../storage/index.ts';
import type { Clients, LoginNoted, LoginOfClient } from '../stream/clients.ts';
import type { LoginToken } from '../stream/sasl/index.ts';
import { Hmac } from '../util/hmac.ts';
import { Lru } from '../util/lru.ts';
import { andThen, type MaybePromise } from '../util/maybe.ts';
import { installationKey, Seal } from './clients/seal.ts';
import { type ClientRow, ClientStore, type StoredToken } from './clients/store.ts';

/** How clients are remembered; read at each use. */
export interface ClientPolicy {
  /** Seconds that a token is good for. */
  readonly tokenLifetime: number;
  /** Seconds after which its client is given another one. */
  readonly tokenRenewal: number;
  /** Seconds after which a client that was not seen is forgotten. */
  readonly kept: number;
  readonly perAccount: number;
}

interface Parts {
  readonly storage: Storage;
  readonly folder: string;
  readonly users: Users;
  readonly policy: () => ClientPolicy;
  readonly log: Logger;
}

const ID = 12; // bytes
const SECRET = 32;
/** Ids of clients that are remembered, and the longest text that one is remembered for. */
const NAMED = 8192;
const LONGEST_NAMED = 200;
const RESOURCE = 9;
/** ms in which logins of one client that change nothing are noted once. */
const LATELY = 60_000;
const PURGE_EVERY = 3_600_000; // ms
const PURGED_AT_ONCE = 500;

/** A token that was read: what the stream needs of it, and where it came from. */
class ClientToken implements LoginToken {
  readonly mechanism: string;
  readonly secret: string;
  readonly expiry: number;
  readonly row: ClientRow;
  readonly stored: StoredToken;
  private hashes: Hmac | undefined;

  constructor(row: ClientRow, stored: StoredToken, secret: string) {
    this.mechanism = stored.mechanism;
    this.expiry = stored.expiry;
    this.secret = secret;
    this.row = row;
    this.stored = stored;
  }

  get mac(): Hmac {
    return (this.hashes ??= new Hmac(Buffer.from(this.secret)));
  }
}

/** The clients of accounts, and the tokens that they log in with (XEP-0484). */
export class ClientsService implements Clients, ClientsView {
  private readonly parts: Parts;
  private store!: ClientStore;
  private seal!: Seal;
  private purging: NodeJS.Timeout | undefined;
  /** Ids that were asked for lately, by what they are made of. */
  private readonly names = new Lru<string, string>(NAMED);
  /**
   * Tokens that were opened, as long as the store remembers their rows. Who can read this memory can read the key that opens them all;
   * so this gives nobody more than the key does, and goes with the row when a token is revoked.
   */
  private readonly unsealed = new WeakMap<ClientRow, readonly ClientToken[]>();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  async open(): Promise<void> {
    this.store = await ClientStore.open(this.parts.storage);
    this.seal = new Seal(installationKey(this.parts.folder));
    this.purging = setInterval(() => void this.purge(Date.now()), PURGE_EVERY).unref();
  }

  stop(): void {
    clearInterval(this.purging);
  }

  // ---- for streams ----------------------------------------------------------------------------------------------------------

  idOf(account: Jid, agent: string): string {
    const key = `${account.bare}\0${agent}`;
    const known = this.names.get(key);
    if (known !== undefined) return known;
    const id = this.seal.name('client', account.bare, agent).toString('hex', 0, ID);
    // strangers choose these texts
    if (key.length <= LONGEST_NAMED) this.names.set(key, id);
    return id;
  }

  resourceOf(id: string, tag: string): string {
    return this.seal.name('resource', id, tag).toString('base64url', 0, RESOURCE);
  }

  tokensOf(id: string): MaybePromise<readonly LoginToken[]> {
    return andThen(this.store.get(id), row => (row ? this.opened(row) : []));
  }

  private opened(row: ClientRow): readonly LoginToken[] {
    const known = this.unsealed.get(row);
    if (known) return known;
    const tokens: ClientToken[] = [];
    for (const stored of [row.next, row.current]) {
      const secret = stored && this.seal.open(stored.sealed, context(row.id, stored.mechanism));
      if (secret !== undefined) tokens.push(new ClientToken(row, stored!, secret));
    }
    this.unsealed.set(row, tokens);
    return tokens;
  }

  loggedIn(login: LoginOfClient, at = Date.now()): MaybePromise<LoginNoted> {
    const { id, account, agent, count, invalidate } = login;
    const { tokenLifetime, tokenRenewal, perAccount } = this.parts.policy();
    const token = login.token instanceof ClientToken ? login.token : undefined;
    const due = token !== undefined && !invalidate && at - token.stored.issuedAt >= tokenRenewal * 1000;
    const mechanism = login.request ?? (due ? token.mechanism : undefined);
    if (token && !changes(token, login, mechanism, at)) return undefined;
    const secret = mechanism === undefined ? undefined : randomBytes(SECRET).toString('base64url');
    const expiry = at + tokenLifetime * 1000;
    const issued: StoredToken | undefined =
      mechanism === undefined
        ? undefined
        : { mechanism, sealed: this.seal.seal(secret!, context(id, mechanism)), issuedAt: at, expiry, count: 0 };
    const noted = this.store.login({
      id,
      host: account.domain,
      local: account.local,
      software: agent.software,
      device: agent.device,
      at,
      used: token && { token: token.stored, count },
      invalidate,
      issued,
      most: perAccount,
      here: this.parts.users.get(account.bare)?.sessions.flatMap(session => session.client ?? []) ?? [],
    });
    return noted.then(done => (!done ? 'refused' : secret === undefined ? undefined : { secret, expiry }));
  }

  // ---- for the node ---------------------------------------------------------------------------------------------------------

  /** A session of a client is over. */
  noteSeen(session: Session): void {
    const { client } = session;
    if (client === undefined) return;
    this.store.seen(client, Date.now()).catch((error: unknown) => {
      this.parts.log[error instanceof StorageError && error.told ? 'debug' : 'warn'](
        { err: error, session: session.id },
        'when a client was last here could not be noted',
      );
    });
  }

  /** `by`: the client that has set it, and knows it. */
  passwordChanged({ domain, local }: Jid, by?: string): Promise<void> {
    return this.store.passwordChanged(domain, local, by === undefined ? undefined : { id: by, at: Date.now() });
  }

  accountRemoved(account: Jid): Promise<void> {
    return this.store.removeAccount(account.domain, account.local);
  }

  /** Forgets clients that were not here for as long as they are kept. */
  async purge(now: number): Promise<void> {
    try {
      const before = now - this.parts.policy().kept * 1000;
      while ((await this.store.purge(before, PURGED_AT_ONCE)) === PURGED_AT_ONCE) await turn();
    } catch (error) {
      this.parts.log.warn({ err: error }, 'clients that are to be forgotten could not be');
    }
  }

  // ---- ClientsView ----------------------------------------------------------------------------------------------------------

  async list(account: Jid): Promise<ClientView[]> {
    const now = Date.now();
    const sessions = this.parts.users.get(account.bare)?.sessions ?? [];
    const rows = await this.store.list(account.domain, account.local);
    const known = new Set(rows.map(row => row.id));
    return [
      ...sessions.filter(session => session.client === undefined || !known.has(session.client)).map(unnamed),
      ...rows.map(row => {
        const own = sessions.filter(session => session.client === row.id);
        const tokens = [row.next, row.current].filter(token => token !== undefined && token.expiry > now);
        return {
          id: row.id,
          sessions: own,
          firstSeen: row.firstSeen,
          lastSeen: own.length > 0 ? now : row.lastSeen,
          software: row.software,
          device: row.device,
          password: row.passwordAt !== undefined,
          tokenUntil: tokens.length === 0 ? undefined : Math.max(...tokens.map(token => token!.expiry)),
        };
      }),
    ];
  }

  async revoke(account: Jid, id: string): Promise<'revoked' | 'knows-password' | 'unknown'> {
    const client = (await this.list(account)).find(each => each.id === id);
    if (!client) return 'unknown';
    await this.store.revoke(id);
    if (!client.password) await this.store.forget(id);
    // a client that revokes itself is answered first
    setImmediate(() => {
      for (const session of client.sessions)
        session.close({ condition: 'not-authorized', text: 'The access of this client was revoked.' });
    });
    return client.password ? 'knows-password' : 'revoked';
  }
}

/** A session whose client did not say what it is: all that is known of it. */
function unnamed(session: Session): ClientView {
  return {
    id: `session-${session.id}`,
    sessions: [session],
    firstSeen: session.since,
    lastSeen: Date.now(),
    software: '',
    device: '',
    password: !session.anonymous,
    tokenUntil: undefined,
  };
}

/** Whether there is anything to note of a login by token. */
function changes(
  { row, stored }: ClientToken,
  { agent, count, invalidate }: LoginOfClient,
  mechanism: string | undefined,
  at: number,
): boolean {
  return (
    mechanism !== undefined ||
    invalidate ||
    count !== undefined ||
    stored === row.next ||
    at - row.lastSeen >= LATELY ||
    agent.software !== row.software ||
    agent.device !== row.device
  );
}

/** What a token belongs to: sealed, it cannot be given to another client or mechanism. */
function context(id: string, mechanism: string): string {
  return `${id} ${mechanism}`;
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
