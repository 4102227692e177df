import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStorage } from '../../src/storage/index.ts';
import { requestStoreContract } from './store.contract.ts';

describe('store of subscription requests on SQLite', () => {
  requestStoreContract(async () => openStorage({ dataDir: await mkdtemp(path.join(tmpdir(), 'posthouse-')) }));
});
