import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStorage } from '../../src/storage/index.ts';
import { roomStoreContract } from './store.contract.ts';

describe('room store on SQLite', () => {
  roomStoreContract(async () => openStorage({ dataDir: await mkdtemp(path.join(tmpdir(), 'posthouse-')) }));
});
