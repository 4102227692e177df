import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import path from 'node:path';
import { tempFolder } from '../kit/temp.ts';

const SHARED = '/dev/shm';
const SMALL = 256 * 1024 ** 2; // bytes
const CHUNK = Buffer.alloc(4096);

/** A file system that can be filled. */
export class SmallDisk {
  readonly folder: string;
  private readonly unmount: () => void;

  private constructor(folder: string, unmount: () => void) {
    this.folder = folder;
    this.unmount = unmount;
  }

  /** One of 8 MiB that root may mount, or else a container's small /dev/shm; undefined where there is neither. */
  static make(): SmallDisk | undefined {
    const folder = tempFolder();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'posthouse-test', folder], { stdio: 'ignore' });
      return new SmallDisk(folder, () => execFileSync('umount', ['-l', folder]));
    } catch {
      // not for this user
    }
    try {
      const { blocks, bsize } = statfsSync(SHARED);
      if (blocks * bsize > SMALL) return undefined;
    } catch {
      return undefined;
    }
    const shared = path.join(SHARED, path.basename(folder));
    mkdirSync(shared);
    return new SmallDisk(shared, () => rmSync(shared, { recursive: true, force: true }));
  }

  private get filler(): string {
    return path.join(this.folder, 'filler');
  }

  /** Writes until nothing more goes in. */
  fill(): void {
    const file = openSync(this.filler, 'a');
    try {
      for (;;) writeSync(file, CHUNK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(this.filler, { force: true });
  }

  remove(): void {
    this.unmount();
  }
}
