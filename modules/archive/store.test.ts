import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStorage } from '../../src/storage/index.ts';
import { archiveStoreContract, conversationsContract, roomArchivesContract } from './store.contract.ts';

describe('archive store on SQLite', () => {
  archiveStoreContract(async () => openStorage({ dataDir: await mkdtemp(path.join(tmpdir(), 'posthouse-')) }));
});

describe('conversations of archives on SQLite', () => {
  conversationsContract(async () => openStorage({ dataDir: await mkdtemp(path.join(tmpdir(), 'posthouse-')) }));
});

describe('archives of rooms on SQLite', () => {
  roomArchivesContract(async () => openStorage({ dataDir: await mkdtemp(path.join(tmpdir(), 'posthouse-')) }));
});
