/** ms between two looks of a person at a terminal, and between two lines in a file. */
const AT_TERMINAL = 200;
const IN_FILE = 5000;

/** Tells on standard error how far it is. */
export class Progress {
  private at = 0;
  private shown = false;
  private readonly terminal = process.stderr.isTTY === true;

  /** Shows a line that takes the place of the one before; not each time it is called. */
  show(line: () => string): void {
    const now = performance.now();
    if (now - this.at < (this.terminal ? AT_TERMINAL : IN_FILE)) return;
    // short work says nothing
    if (this.at > 0 || this.terminal) this.write(line());
    this.at = now;
  }

  /** A line that stays. */
  note(line: string): void {
    this.clear();
    process.stderr.write(`${line}\n`);
  }

  clear(): void {
    if (this.shown) process.stderr.write('\r\u001b[K');
    this.shown = false;
  }

  private write(line: string): void {
    if (!this.terminal) {
      process.stderr.write(`${line}\n`);
      return;
    }
    process.stderr.write(`\r\u001b[K${line}`);
    this.shown = true;
  }
}
