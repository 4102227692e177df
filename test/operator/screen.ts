import { type ChildProcess, spawn } from 'node:child_process';
import { until } from '../kit/wait.ts';
import { BIN, ROOT } from './program.ts';

const PATIENCE = 60_000; // ms

/** `posthouse` at a terminal: what stands on it, and what is typed. Needs script, of util-linux. */
export class Screen {
  /** All that it has shown so far. */
  text = '';
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
    child.stdout!.on('data', chunk => (this.text += String(chunk).replaceAll('\r\n', '\n')));
    child.stdin!.on('error', () => {});
  }

  static open(args: readonly string[], options: { cwd?: string } = {}): Screen {
    const command = [process.execPath, BIN, ...args].map(part => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
    return new Screen(
      spawn('script', ['-q', '-e', '-c', `exec ${command}`, '/dev/null'], {
        cwd: options.cwd ?? ROOT,
        env: { ...process.env, SHELL: '/bin/sh' },
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
  }

  type(keys: string): void {
    this.child.stdin!.write(keys);
  }

  /** Waits for a text to appear; everything shown then. */
  async shows(text: RegExp): Promise<string> {
    await until(
      () => {
        if (text.test(this.text)) return true;
        if (this.child.exitCode !== null) throw new Error(`it ended without showing ${text}:\n${this.text}`);
        return false;
      },
      () => `${text} on the terminal; it shows:\n${this.text}`,
      PATIENCE,
    );
    return this.text;
  }

  /** Waits for its end; the exit code. */
  async ended(): Promise<number> {
    await until(
      () => this.child.exitCode !== null,
      () => `the end of the program:\n${this.text}`,
      PATIENCE,
    );
    return this.child.exitCode!;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
