import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { access, constants, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { DiskBody } from './disk-body.ts';
import { type Body, type Files, type Given, type Lying, NoRoom, WrongLength } from './files.ts';
import type { Span } from './ranges.ts';

/** Where files are while they come. */
const INCOMING = 'incoming';

/** By number: a FileHandle would cost more than the reading. */
const openFile = promisify(fs.open);
const closeFile = promisify(fs.close);
const fstat = promisify(fs.fstat);
const fsync = promisify(fs.fsync);

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

/** Files in a folder, in subfolders by the first two digits of their names. */
export class DiskFiles implements Files {
  readonly folder: string;
  /** Bytes that stay free. */
  private readonly free: () => number;
  /** Folders that are there. */
  private readonly made = new Set<string>();

  constructor(folder: string, free: () => number) {
    this.folder = folder;
    this.free = free;
  }

  private place(name: string): string {
    // names never come from outside as they are; nothing else may be touched all the same
    if (!/^[\da-f]{32}$/.test(name)) throw new Error(`${name} is no name of a file`);
    return path.join(this.folder, name.slice(0, 2), name);
  }

  async put(
    name: string,
    body: AsyncIterable<Uint8Array>,
    size: number,
    _given: Given,
    signal: AbortSignal,
  ): Promise<void> {
    const place = this.place(name);
    const temporary = path.join(this.folder, INCOMING, `${name}.${randomBytes(6).toString('hex')}`);
    try {
      await this.make(path.dirname(temporary));
      await this.make(path.dirname(place));
      await this.write(temporary, body, size, signal);
      await rename(temporary, place);
      await sync(path.dirname(place));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      // somebody may have taken a folder away
      this.made.clear();
      if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT')
        throw new NoRoom('the disk is full', { cause: error });
      throw error;
    }
  }

  /** A new file, of which all is on the disk. */
  private async write(
    place: string,
    body: AsyncIterable<Uint8Array>,
    size: number,
    signal: AbortSignal,
  ): Promise<void> {
    const file = await openFile(place, 'wx', 0o600);
    try {
      let bytes = 0;
      for await (const chunk of stoppable(body, signal)) {
        bytes += chunk.length;
        if (bytes > size) break;
        for (let from = 0; from < chunk.length;) from += await writePart(file, chunk, from);
      }
      if (bytes !== size) throw new WrongLength(`${bytes} bytes came instead of ${size}`);
      await fsync(file);
    } finally {
      await closeFile(file);
    }
  }

  /** Makes a folder that outlives a power cut, if it was not there at the last look. */
  private async make(folder: string): Promise<void> {
    if (this.made.has(folder)) return;
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first !== undefined) await sync(path.dirname(first));
    this.made.add(folder);
  }

  async get(name: string, span?: Span): Promise<Body | undefined> {
    try {
      const file = await openFile(this.place(name), 'r');
      if (span) return new DiskBody(file, span.start, span.end - span.start + 1);
      return new DiskBody(file, 0, (await fstat(file)).size);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  link(): undefined {
    return undefined;
  }

  async remove(name: string): Promise<void> {
    await rm(this.place(name), { force: true });
  }

  async hasRoom(size: number): Promise<boolean> {
    await this.make(this.folder);
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize - size >= this.free();
  }

  async *lying(prefix: string): AsyncIterable<Lying> {
    const folder = path.join(this.folder, prefix);
    for (const name of await list(folder)) {
      const found = await stat(path.join(folder, name)).catch(() => undefined);
      if (found?.isFile()) yield { name, since: found.mtimeMs };
    }
  }

  async tidy(before: number): Promise<void> {
    const folder = path.join(this.folder, INCOMING);
    for (const name of await list(folder)) {
      const file = path.join(folder, name);
      const found = await stat(file).catch(() => undefined);
      if (found && found.mtimeMs < before) await rm(file, { force: true });
    }
  }

  close(): void {
    // nothing is open
  }

  async problem(): Promise<string | undefined> {
    let there = this.folder;
    for (;;) {
      try {
        const found = await stat(there);
        if (!found.isDirectory()) return `${there} is a file`;
        await access(there, constants.W_OK | constants.X_OK);
        return undefined;
      } catch (error) {
        // it will be made
        if (codeOf(error) !== 'ENOENT' || there === path.dirname(there))
          return `this user may not write in ${there}: ${(error as Error).message}`;
        there = path.dirname(there);
      }
    }
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Makes the names in a folder outlive a power cut. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } catch (error) {
    // Windows has no such thing
    if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

/** Resolved with the number of bytes that were written. */
function writePart(file: number, chunk: Uint8Array, from: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(file, chunk, from, chunk.length - from, null, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}

/** The same until the signal: then what is waited for is given up. */
async function* stoppable(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  let stop: ((error: Error) => void) | undefined;
  const stopped = (): void => stop?.(signal.reason as Error);
  signal.addEventListener('abort', stopped);
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        stop = reject;
        iterator.next().then(resolve, reject);
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', stopped);
    // not waited for: where nothing comes, it does not end either
    void iterator.return?.()?.then(undefined, () => {});
  }
}
