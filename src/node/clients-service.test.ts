import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { parseJid } from '../jid/index.ts';
import { Users } from '../session/users.ts';
import { openStorage, type Storage } from '../storage/index.ts';
import type { GivenToken, LoginOfClient } from '../stream/clients.ts';
import { ClientsService } from './clients-service.ts';

const JULIET = parseJid('juliet@example.org')!;
const NONE = 'HT-SHA-256-NONE';
const HOUR = 3_600_000;
const START = Date.parse('2030-01-01T00:00:00Z');

describe('The clients of accounts', () => {
  let folder: string;
  let storage: Storage;
  let clients: ClientsService;
  const policy = { tokenLifetime: 10 * 3600, tokenRenewal: 3600, kept: 20 * 3600, perAccount: 5 };

  const open = async (): Promise<void> => {
    storage = await openStorage({ dataDir: folder });
    const log = pino({ level: 'silent' });
    clients = new ClientsService({ storage, folder, users: new Users(), policy: () => policy, log });
    await clients.open();
  };
  const close = async (): Promise<void> => {
    clients.stop();
    await storage.close();
  };
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'posthouse-'));
    await open();
  });
  afterEach(async () => {
    await close();
    rmSync(folder, { recursive: true });
  });

  const id = (agent = 'agent', account = JULIET): string => clients.idOf(account, agent);
  const login = (changes: Partial<LoginOfClient> = {}, at = START) =>
    clients.loggedIn(
      {
        id: id(),
        account: JULIET,
        agent: { id: 'agent', software: 'AwesomeXMPP', device: 'phone' },
        token: undefined,
        count: undefined,
        invalidate: false,
        request: undefined,
        ...changes,
      },
      at,
    );
  const given = async (changes: Partial<LoginOfClient> = {}, at = START): Promise<GivenToken> => {
    const result = await login({ request: NONE, ...changes }, at);
    assert.ok(typeof result === 'object');
    return result;
  };
  const tokens = async () => clients.tokensOf(id());
  const secrets = async (): Promise<string[]> => (await tokens()).map(token => token.secret);

  it('are named by the account and what they call themselves, also after a restart, and differently elsewhere', async () => {
    const name = id();
    assert.match(name, /^[0-9a-f]{24}$/);
    assert.notEqual(id('other'), name);
    assert.notEqual(id('agent', parseJid('romeo@example.org')!), name);
    const resource = clients.resourceOf(name, 'tag');
    assert.match(resource, /^[A-Za-z0-9_-]{12}$/);
    assert.notEqual(clients.resourceOf(name, 'other'), resource);
    await close();
    await open();
    assert.equal(id(), name);
    assert.equal(clients.resourceOf(name, 'tag'), resource);
  });

  it('keep tokens over a restart, and in the database not as they are', async () => {
    const { secret, expiry } = await given();
    assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(expiry, START + 10 * HOUR);
    await close();
    await open();
    assert.deepEqual(
      (await tokens()).map(({ mechanism, ...token }) => [mechanism, token.secret, token.expiry]),
      [[NONE, secret, expiry]],
    );
    const row = storage.prepare<Record<string, unknown>>('SELECT * FROM clients').get()!;
    for (const value of Object.values(row)) {
      if (Buffer.isBuffer(value) || typeof value === 'string') assert.equal(value.includes(secret), false);
    }
  });

  it('lose their tokens with the key of the installation, and nothing else', async () => {
    await given();
    await close();
    rmSync(path.join(folder, 'tokens.key'));
    await open();
    assert.deepEqual(await secrets(), []);
  });

  it('a token that is used again soon writes nothing', async () => {
    await given();
    await login({ token: (await tokens())[0] });
    const batches = storage.counts().batches;
    assert.equal(login({ token: (await tokens())[0] }, START + 1000), undefined);
    assert.equal(storage.counts().batches, batches);
  });

  it('are given another token when theirs is of some age; both are good until the new one is used', async () => {
    const first = await given();
    await login({ token: (await tokens())[0] });
    assert.equal(await login({ token: (await tokens())[0] }, START + HOUR - 1), undefined);
    const second = (await login({ token: (await tokens())[0] }, START + HOUR)) as GivenToken;
    assert.equal(second.expiry, START + 11 * HOUR);
    assert.deepEqual(await secrets(), [second.secret, first.secret]);
    await login({ token: (await tokens())[0] }, START + HOUR + 1);
    assert.deepEqual(await secrets(), [second.secret]);
  });

  it('that do not want their tokens any more are given none, though it is due', async () => {
    await given();
    assert.equal(await login({ token: (await tokens())[0], invalidate: true }, START + 2 * HOUR), undefined);
    assert.deepEqual(await secrets(), []);
  });

  it('a token that went while it was used is refused, and one that was replayed', async () => {
    await given();
    const [token] = await tokens();
    assert.equal(await login({ token, count: 1 }), undefined);
    assert.equal(await login({ token: (await tokens())[0], count: 1 }), 'refused');
    await clients.passwordChanged(JULIET);
    assert.equal(await login({ token, count: 2 }), 'refused');
  });

  it('can be listed and revoked; who knows the password is told apart', async () => {
    await given();
    const [client] = await clients.list(JULIET);
    assert.deepEqual(client, {
      id: id(),
      sessions: [],
      firstSeen: START,
      lastSeen: START,
      software: 'AwesomeXMPP',
      device: 'phone',
      password: true,
      tokenUntil: START + 10 * HOUR,
    });
    assert.equal(await clients.revoke(JULIET, id()), 'knows-password');
    assert.deepEqual(await secrets(), []);
    assert.equal((await clients.list(JULIET))[0]!.tokenUntil, undefined);
    await clients.passwordChanged(JULIET);
    assert.equal(await clients.revoke(JULIET, id()), 'revoked');
    assert.deepEqual(await clients.list(JULIET), []);
    assert.equal(await clients.revoke(JULIET, id()), 'unknown');
  });

  it('of others are not revoked', async () => {
    await given();
    assert.equal(await clients.revoke(parseJid('romeo@example.org')!, id()), 'unknown');
    assert.equal((await secrets()).length, 1);
  });

  it('are forgotten when they were away for long', async () => {
    await given();
    await clients.purge(START + 20 * HOUR);
    assert.equal((await clients.list(JULIET)).length, 1);
    await clients.purge(START + 20 * HOUR + 1);
    assert.deepEqual(await clients.list(JULIET), []);
  });
});
