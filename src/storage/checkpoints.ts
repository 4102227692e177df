import { Worker } from 'node:worker_threads';
import type { FileOptions, Logger } from './connections.ts';

/** Pages of the log, about, after which they are copied: a page that is written again and again until then is copied once. */
const DUE = 8000;
/** Values to a page, about. */
const VALUES = 80;

/**
 * Copies SQLite's log into the file now and then: in a thread of its own, since it waits for the disk several times, each for many
 * milliseconds. The thread is begun when there is so much for the first time. What it does not copy whoever commits does, when the log is
 * twice as long (connections.ts).
 */
export class Checkpoints {
  private readonly file: FileOptions;
  private readonly logger: Logger | undefined;
  private worker: Worker | undefined;
  private pages = 0;
  private busy = false;
  /** It could not be begun, or broke: nobody tries again. */
  private broken = false;

  constructor(file: FileOptions, logger: Logger | undefined) {
    this.file = file;
    this.logger = logger;
  }

  /** A transaction was committed that wrote so many values. */
  committed(values: number): void {
    this.pages += 1 + values / VALUES;
    if (this.pages < DUE || this.busy || this.broken) return;
    this.pages = 0;
    this.busy = true;
    (this.worker ??= this.begin()).postMessage('checkpoint');
  }

  private begin(): Worker {
    // as it stands here, or built
    const program = new URL(`./checkpoint-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
    const worker = new Worker(program, { workerData: this.file, resourceLimits: { maxOldGenerationSizeMb: 16 } });
    worker.on('message', () => (this.busy = false));
    worker.on('error', error => {
      this.broken = true;
      this.logger?.error({ err: error }, 'storage: the thread that copies the log into the database file has failed');
    });
    worker.unref();
    return worker;
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
