import { close, read } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Body } from './files.ts';

/** Bytes that are read at once. A reader has two blocks of it, one that is read while the other is written, however large the file is. */
const BLOCK = 65_536;
/** Blocks that are kept for the next reader: to ask the system for each anew would cost as much as to read it. */
const KEPT = 64;
const spare: Buffer[] = [];

/** An open file, or a part of it. It closes the file. */
export class DiskBody implements Body {
  private readonly file: number;
  private position: number;
  private left: number;
  private failed: ((error: Error) => void) | undefined;

  constructor(file: number, start: number, length: number) {
    this.file = file;
    this.position = start;
    this.left = length;
  }

  async sendTo(to: Writable): Promise<void> {
    const gone = (): void => this.failed?.(new Error('the reader is gone'));
    to.once('close', gone);
    const blocks = [spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK), spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK)];
    try {
      let writing: Promise<void> | undefined;
      for (let turn = 0; this.left > 0; turn ^= 1) {
        const part = await this.read(blocks[turn]!);
        await writing;
        writing = this.write(to, part);
        // it may fail while the next part is read
        writing.catch(() => {});
      }
      await writing;
      to.end();
      // after a failure somebody may hold them still
      if (spare.length < KEPT) spare.push(...blocks);
    } finally {
      to.off('close', gone);
      this.destroy();
    }
  }

  private read(block: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      read(this.file, block, 0, Math.min(BLOCK, this.left), this.position, (error, bytes) => {
        if (error) reject(error);
        else if (bytes === 0) reject(new Error('the file is shorter than it was'));
        else {
          this.position += bytes;
          this.left -= bytes;
          resolve(block.subarray(0, bytes));
        }
      });
    });
  }

  /** Resolved when the part is not needed any more. */
  private write(to: Writable, part: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.failed = reject;
      if (to.destroyed) reject(new Error('the reader is gone'));
      else to.write(part, error => (error ? reject(error) : resolve()));
    });
  }

  destroy(): void {
    this.left = 0;
    close(this.file);
  }
}
