import pino, { type DestinationStream } from 'pino';

/** ms that a line may wait for others. */
const GATHER = 20;
/** Characters that are written at once. */
const ENOUGH = 16 * 1024;
const WARN = pino.levels.values.warn!;

/**
 * Writes lines that come in quick succession together: each write of its own is a tenth of what a reconnect costs. A warning, or
 * anything worse, is written when it comes, with what waited before it; the rest within 20 ms, and when the process ends by itself.
 */
export class Gathering implements DestinationStream {
  /** pino says the level of each line before it. */
  readonly [pino.symbols.needsMetadataGsym] = true as const;
  lastLevel = 0;
  private readonly sink: DestinationStream;
  private waiting = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(sink: DestinationStream) {
    this.sink = sink;
  }

  write(line: string): void {
    this.waiting += line;
    if (this.lastLevel >= WARN || this.waiting.length >= ENOUGH) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), GATHER).unref();
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { waiting } = this;
    this.waiting = '';
    if (waiting !== '') this.sink.write(waiting);
  }
}
