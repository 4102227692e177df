import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { makePoints } from '../bus/index.ts';
import { parseJid } from '../jid/index.ts';
import { Users } from '../session/users.ts';
import { openStorage, type Storage } from '../storage/index.ts';
import { deriveScramKeys } from '../stream/sasl/index.ts';
import { AccountStore } from './accounts/store.ts';
import { AccountsService } from './accounts-service.ts';

const JULIET = parseJid('juliet@example.org')!;
const ROMEO = parseJid('romeo@example.org')!;

describe('Accounts', () => {
  let folder: string;
  let storage: Storage;
  let accounts: AccountsService;
  let iterations: number;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'posthouse-'));
    storage = await openStorage({ dataDir: folder });
    accounts = new AccountsService({
      storage,
      users: new Users(),
      points: makePoints(),
      iterations: () => iterations,
      log: pino({ level: 'silent' }),
      endSessions: () => Promise.resolve(),
      clients: () => ({ passwordChanged: () => Promise.resolve(), accountRemoved: () => Promise.resolve() }),
    });
    await accounts.open();
    iterations = 10_000;
  });
  afterEach(async () => {
    await storage.close();
    rmSync(folder, { recursive: true });
  });

  const login = (password: string) => accounts.backend('example.org').plain('juliet', password);

  it('get keys of more iterations by a login with PLAIN, of several at once too', async () => {
    await accounts.create(JULIET, 'capulet');
    iterations = 20_000;
    assert.deepEqual(await Promise.all([login('capulet'), login('capulet'), login('montague')]), ['ok', 'ok', 'wrong']);
    assert.equal((await accounts.credentials(JULIET))!.iterations, 20_000);
    assert.equal(await login('capulet'), 'ok');
  });

  it('keep a password that is set while somebody logs in with the one before', async () => {
    await accounts.create(JULIET, 'capulet');
    iterations = 20_000;
    const before = login('capulet');
    const setting = accounts.setPassword(JULIET, 'montague');
    await before;
    assert.equal(await setting, 'set');
    assert.deepEqual([await login('capulet'), await login('montague')], ['wrong', 'ok']);
  });

  it('let nobody in with a password that is another one when it is found to be right', async () => {
    iterations = 100_000;
    await accounts.create(JULIET, 'capulet');
    await accounts.create(ROMEO, 'montague');
    const store = await AccountStore.open(storage);
    const before = login('capulet');
    await store.setCredentials('example.org', 'juliet', (await accounts.credentials(ROMEO))!);
    assert.deepEqual([await before, await login('montague')], ['wrong', 'ok']);
    const disabled = login('montague');
    await store.setStatus('example.org', 'juliet', 'disabled');
    assert.equal(await disabled, 'disabled');
  });

  it('keep it also where keys came from elsewhere, for some of the mechanisms only', async () => {
    const salt = randomBytes(16);
    const sha1 = await deriveScramKeys('sha1', 'capulet', salt, iterations);
    await accounts.adopt(JULIET, { salt, iterations, keys: { sha1 } });
    const before = login('capulet');
    await accounts.setPassword(JULIET, 'montague');
    await before;
    assert.deepEqual([await login('capulet'), await login('montague')], ['wrong', 'ok']);
  });
});
