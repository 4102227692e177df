import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStorage } from '../../src/storage/index.ts';
import { groupStoreContract } from './store.contract.ts';

describe('group store on SQLite', () => {
  groupStoreContract(async () => openStorage({ dataDir: await mkdtemp(path.join(tmpdir(), 'posthouse-')) }));
});
