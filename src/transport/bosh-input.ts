import { Ring } from '../util/ring.ts';
import type { BoshRequest } from './bosh-request.ts';

/** What came in requests and waits for the stream to read it: frames, in order. */
export class Input {
  paused = false;
  /** Bytes that wait. */
  bytes = 0;
  private readonly queue = new Ring<{ request: BoshRequest; frame: Buffer }>();
  private readonly read: (frame: Buffer) => void;
  private driving = false;

  constructor(read: (frame: Buffer) => void) {
    this.read = read;
  }

  get empty(): boolean {
    return this.queue.size === 0;
  }

  add(request: BoshRequest, frame: Buffer): void {
    request.left++;
    this.bytes += frame.length;
    this.queue.push({ request, frame });
  }

  /** Hands on what waits, as long as it is read. */
  drive(): void {
    if (this.driving) return;
    this.driving = true;
    try {
      while (!this.paused) {
        const next = this.queue.shift();
        if (!next) break;
        next.request.left--;
        this.bytes -= next.frame.length;
        this.read(next.frame);
      }
    } finally {
      this.driving = false;
    }
  }

  /** Whether all of a request has been read, and the next may be. */
  done({ left }: BoshRequest): boolean {
    return left === 0 && !this.paused;
  }

  drop(): void {
    while (this.queue.shift());
    this.bytes = 0;
  }
}
