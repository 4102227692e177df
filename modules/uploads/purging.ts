import type { Mod } from '../../src/api/index.ts';
import type { Files } from './files.ts';
import type { UploadStore } from './store.ts';

/** Rows, or files, of one step: a few milliseconds. */
const STEP = 100;
/** Steps of one run; what is left waits for the next. */
const STEPS = 50;
/** What lies there without a row is left alone for so long: ms. */
const STRAY = 86_400_000;
/** Uploads that did not move for so long are none any more: ms. */
const ABANDONED = 7_200_000;

/** Removes what has had its time, in small steps: rows first, so that nobody finds a file that goes. */
export class Purging {
  private readonly store: UploadStore;
  private readonly files: Files;
  private readonly mod: Pick<Mod, 'log' | 'signal'>;
  /** The part of the files that is looked through next for strays. */
  private prefix = 0;

  constructor(parts: { store: UploadStore; files: Files; mod: Pick<Mod, 'log' | 'signal'> }) {
    this.store = parts.store;
    this.files = parts.files;
    this.mod = parts.mod;
  }

  /** Ends what is over, and removes its files. `day` is that of the daily quota, in milliseconds. */
  async expire(day: number): Promise<void> {
    for (let step = 0; step < STEPS && !this.mod.signal.aborted; step++)
      if ((await this.store.expire(Date.now(), day, STEP)) < STEP) break;
    await this.clear();
  }

  /** Removes files whose rows are gone. */
  async clear(): Promise<void> {
    for (let step = 0; step < STEPS && !this.mod.signal.aborted; step++) {
      const names = await this.store.remains(STEP);
      for (const name of names) await this.files.remove(name);
      await this.store.removed(names);
      if (names.length < STEP) break;
    }
  }

  /** Removes what a power cut, or a database of before one, has left: of one of 256 parts, so that all are seen in the end. */
  async sweep(): Promise<void> {
    const now = Date.now();
    await this.files.tidy(now - ABANDONED);
    const prefix = this.prefix.toString(16).padStart(2, '0');
    this.prefix = (this.prefix + 1) % 256;
    let some: string[] = [];
    const remove = async (): Promise<void> => {
      const known = await this.store.known(some);
      for (const name of some.filter(each => !known.has(each))) {
        await this.files.remove(name);
        this.mod.log.warn({ file: name.slice(0, 8) }, 'a file that nothing is known of was removed');
      }
      some = [];
    };
    for await (const { name, since } of this.files.lying(prefix)) {
      if (since > now - STRAY || this.mod.signal.aborted) continue;
      some.push(name);
      if (some.length >= STEP) await remove();
    }
    if (some.length > 0) await remove();
  }
}
