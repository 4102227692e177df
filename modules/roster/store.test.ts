import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStorage } from '../../src/storage/index.ts';
import { rosterStoreContract } from './store.contract.ts';

describe('roster store on SQLite', () => {
  rosterStoreContract(async () => openStorage({ dataDir: await mkdtemp(path.join(tmpdir(), 'posthouse-')) }));
});
