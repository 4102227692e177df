import type { Logger } from './connections.ts';
import { isOutage, storageError } from './errors.ts';

/** Bytes that have to be free before a disk that was full is not called so any more. */
const ENOUGH = 1024 ** 2;
const PROBE = 2_000; // ms between two attempts to write after a failure

/** Whether the last write worked. After a failure it tries again by itself: somebody has to notice when it works again. */
export class Health {
  /** Why the last write failed. */
  reason: string | undefined;
  /** Writes that failed so far. */
  failures = 0;
  private prober: NodeJS.Timeout | undefined;
  private probing = false;
  private readonly logger: Logger | undefined;
  private readonly probe: () => Promise<unknown>;
  private readonly room: () => number;
  private full = false;

  /** `probe` writes something, and tells `works` or `fails`; `room` tells how many bytes the disk takes. */
  constructor(logger: Logger | undefined, probe: () => Promise<unknown>, room: () => number = () => Infinity) {
    this.logger = logger;
    this.probe = probe;
    this.room = room;
  }

  works(): void {
    if (this.reason === undefined) return;
    // a full disk takes a little now and then: nobody is well until it takes more
    if (this.full && this.room() < ENOUGH) return;
    this.stop();
    this.reason = undefined;
    this.logger?.info('storage: writing works again');
  }

  /** Takes note of what made a write fail, and returns it as the caller is to see it. */
  fails(cause: unknown): unknown {
    const error = storageError(cause);
    if (!isOutage(error)) return error;
    this.failures++;
    if (this.reason === undefined) {
      this.logger?.error(
        { err: cause },
        `storage: ${error.message}; what cannot be stored is refused until writing works again`,
      );
    }
    this.reason = error.message;
    this.full = error.kind === 'full';
    this.prober ??= setInterval(() => void this.tryAgain(), PROBE).unref();
    return error;
  }

  stop(): void {
    clearInterval(this.prober);
    this.prober = undefined;
  }

  private async tryAgain(): Promise<void> {
    if (this.probing) return;
    this.probing = true;
    await this.probe().catch(() => {
      // it goes on failing: `fails` has taken note
    });
    this.probing = false;
  }
}
