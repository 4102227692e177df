import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStorage } from '../../src/storage/index.ts';
import { pubsubStoreContract } from './store.contract.ts';

describe('pubsub: its store on SQLite', () => {
  pubsubStoreContract(async () => openStorage({ dataDir: await mkdtemp(path.join(tmpdir(), 'posthouse-')) }));
});
