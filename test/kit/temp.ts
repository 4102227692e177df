import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const folders = new Set<string>();
process.once('exit', () => [...folders].forEach(removeTemp));

/** Makes an empty folder, which goes with all that is in it when the process ends, if not before. */
export function tempFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'posthouse-test-'));
  folders.add(folder);
  return folder;
}

/** Removes a folder of `tempFolder` now. */
export function removeTemp(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}
