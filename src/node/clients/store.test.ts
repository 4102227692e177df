import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStorage } from '../../storage/index.ts';
import { clientsContract } from './store.contract.ts';

describe('clients on SQLite', () => {
  const folders: string[] = [];
  clientsContract(() => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'posthouse-'));
    folders.push(dataDir);
    return openStorage({ dataDir });
  });
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
});
