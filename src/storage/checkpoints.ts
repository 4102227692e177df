import { Worker } from 'node:worker_threads';
import type { FileOptions, Logger } from './connections.ts';

/** Pages of the log, about, after which they are copied: a page that is written again and again until then is copied once. */
const DUE = 32_000;
/** Values to a page, about. */
const VALUES = 80;
/** Pages that may come while others are copied, for the rest to be copied while nobody writes. */
const REST = 200;
/** How often it is tried to have so few: each time there are fewer, since it takes less long. */
const ATTEMPTS = 6;

/** What a copying found: pages in the log, and how many of them are in the file now. */
export interface Copied {
  readonly log: number;
  readonly copied: number;
}

/** What the thread is told: copy; copy what is the rest, which nobody adds to; end. */
export type Word = 'copy' | 'rest' | 'end';

/**
 * Copies SQLite's log into the file now and then: in a thread of its own, since it waits for the disk several times, each for many
 * milliseconds. Only a log that is copied whole begins anew, which it never is while others write to it: so nobody does while the last few
 * pages are copied. SQLite has the disk take all that was copied only then, and many megabytes would keep everybody waiting: so the thread
 * has it done each time. It is begun when there is so much for the first time. What it does not copy whoever commits does, when the log is
 * very long (connections.ts).
 */
export class Checkpoints {
  private readonly file: FileOptions;
  private readonly descriptor: number;
  private readonly logger: Logger | undefined;
  /** Runs work while nobody writes. */
  private readonly alone: (work: () => Promise<void>) => Promise<void>;
  private worker: Worker | undefined;
  /** Pages that were written since the log began anew, by the values in them. */
  private estimate = 0;
  /** Pages of the log to one that is estimated: a commit writes some that hold little that is new. */
  private scale = 3;
  private busy = false;
  private answered: ((copied: Copied) => void) | undefined;
  /** It could not be begun, or broke: nobody tries again. */
  private broken = false;
  /** Pages after which it is copied. */
  private readonly due: number;

  /** `descriptor`: of the file, and open until no connection to it is. Who closes one takes all locks on the file away. */
  constructor(
    file: FileOptions,
    descriptor: number,
    logger: Logger | undefined,
    alone: (work: () => Promise<void>) => Promise<void>,
    due = DUE,
  ) {
    this.due = due;
    this.file = file;
    this.descriptor = descriptor;
    this.logger = logger;
    this.alone = alone;
  }

  /** A transaction was committed that wrote so many values. */
  committed(values: number): void {
    this.estimate += 1 + values / VALUES;
    if (this.estimate * this.scale < this.due || this.busy || this.broken) return;
    this.busy = true;
    this.run()
      .catch((error: unknown) => this.fails(error))
      .finally(() => (this.busy = false));
  }

  private async run(): Promise<void> {
    const { estimate } = this;
    let before = 0;
    for (let i = 0; i < ATTEMPTS; i++) {
      const { log, copied } = await this.tell('copy');
      if (i === 0 && log > 0) this.scale = Math.min(20, Math.max(0.5, log / estimate));
      // what comes meanwhile is not in either number
      if (log - before <= REST) break;
      before = copied;
    }
    await this.alone(async () => {
      await this.tell('rest');
      this.estimate = 0;
    });
  }

  private tell(word: Word): Promise<Copied> {
    if (this.broken) return Promise.resolve({ log: 0, copied: 0 });
    return new Promise(resolve => {
      this.answered = resolve;
      (this.worker ??= this.begin()).postMessage(word);
    });
  }

  private begin(): Worker {
    // as it stands here, or built
    const program = new URL(`./checkpoint-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
    const worker = new Worker(program, {
      workerData: { ...this.file, descriptor: this.descriptor },
      resourceLimits: { maxOldGenerationSizeMb: 16 },
    });
    worker.on('message', (copied: Copied) => this.answered?.(copied));
    worker.on('error', error => this.fails(error));
    // nobody waits for one that is gone
    worker.on('exit', () => this.answered?.({ log: 0, copied: 0 }));
    worker.unref();
    return worker;
  }

  private fails(error: unknown): void {
    this.broken = true;
    this.logger?.error({ err: error }, 'storage: the thread that copies the log into the database file has failed');
  }

  /** Resolved when the thread is gone. */
  async close(): Promise<void> {
    const { worker } = this;
    if (!worker || this.broken) return;
    this.broken = true;
    const gone = new Promise(resolve => worker.once('exit', resolve));
    worker.ref();
    worker.postMessage('end');
    await gone;
  }
}
