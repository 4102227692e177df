import type { Logger } from './connections.ts';
import { isOutage, storageError } from './errors.ts';

/** Bytes that have to be free before a disk that was full is not called so any more. */
const ENOUGH = 1024 ** 2;

/** ms between two attempts to write after a failure: doubled from the first on. */
export interface Pauses {
  readonly first: number;
  readonly longest: number;
}

const PAUSES: Pauses = { first: 2_000, longest: 2_000 };

/** Whether the last write worked. After a failure it tries again by itself: somebody has to notice when it works again. */
export class Health {
  /** Why the last write failed. */
  reason: string | undefined;
  /** Writes that failed so far. */
  failures = 0;
  private prober: NodeJS.Timeout | undefined;
  private pause = 0;
  private readonly logger: Logger | undefined;
  private readonly probe: () => Promise<unknown>;
  private readonly room: () => number;
  private full = false;
  private readonly pauses: Pauses;

  /** `probe` writes something, and tells `works` or `fails`; `room` tells how many bytes the disk takes. */
  constructor(
    logger: Logger | undefined,
    probe: () => Promise<unknown>,
    room: () => number = () => Infinity,
    pauses = PAUSES,
  ) {
    this.pauses = pauses;
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
    error.told = true;
    this.reason = error.message;
    this.full = error.kind === 'full';
    if (!this.prober) this.wait(this.pauses.first);
    return error;
  }

  stop(): void {
    clearTimeout(this.prober);
    this.prober = undefined;
  }

  private wait(pause: number): void {
    this.pause = pause;
    this.prober = setTimeout(() => void this.tryAgain(), pause).unref();
  }

  private async tryAgain(): Promise<void> {
    const { prober } = this;
    await this.probe().catch(() => {
      // it goes on failing: `fails` has taken note
    });
    // stopped: it works, or it is to be closed
    if (this.prober === prober) this.wait(Math.min(this.pause * 2, this.pauses.longest));
  }
}
