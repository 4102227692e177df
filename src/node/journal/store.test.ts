import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStorage } from '../../storage/index.ts';
import { journalContract } from './store.contract.ts';

describe('journal of sessions on SQLite', () => {
  const folders: string[] = [];
  journalContract(() => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'posthouse-'));
    folders.push(dataDir);
    return openStorage({ dataDir });
  });
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
});
