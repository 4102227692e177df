import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { until } from '../kit/wait.ts';

const run = promisify(execFile);

const CONF = 'set -g remain-on-exit on\nset -g status off\n';
const PATIENCE = 60_000; // ms

/** A terminal with a program in it, as somebody sits before it: what is typed goes in, what stands on the screen can be read. Needs tmux. */
export class Terminal {
  readonly #folder: string;
  readonly #what: string;

  private constructor(folder: string, what: string) {
    this.#folder = folder;
    this.#what = what;
  }

  /** Starts a program in a terminal of its own, 160 by 50 characters. `env` is added to the environment. */
  static async open(
    command: readonly string[],
    options: { cwd?: string; env?: Record<string, string> } = {},
  ): Promise<Terminal> {
    const folder = await mkdtemp(path.join(tmpdir(), 'posthouse-terminal-'));
    const terminal = new Terminal(folder, path.basename(command[0]!));
    await writeFile(path.join(folder, 'conf'), CONF);
    const env = Object.entries({ LC_ALL: 'C.UTF-8', ...options.env }).flatMap(([name, value]) => [
      '-e',
      `${name}=${value}`,
    ]);
    const where = options.cwd === undefined ? [] : ['-c', options.cwd];
    await terminal.#tmux(
      '-u',
      '-f',
      path.join(folder, 'conf'),
      'new-session',
      '-d',
      '-x',
      '160',
      '-y',
      '50',
      ...env,
      ...where,
      '--',
      ...command,
    );
    return terminal;
  }

  async #tmux(...args: string[]): Promise<string> {
    const { stdout } = await run('tmux', ['-S', path.join(this.#folder, 'socket'), ...args]);
    return stdout;
  }

  /** Types a line, with Enter behind it. */
  async type(line: string): Promise<void> {
    await this.#tmux('send-keys', '-l', '--', line);
    await this.#tmux('send-keys', 'Enter');
  }

  /** What stands there now. */
  screen(): Promise<string> {
    return this.#tmux('capture-pane', '-p');
  }

  /** Waits until something stands there. @throws with the screen, when it does not come */
  async shows(what: RegExp): Promise<string> {
    let screen = '';
    return until(
      async () => {
        screen = await this.screen();
        return what.test(screen) && screen;
      },
      () => `${String(what)} on the screen of ${this.#what}, which was:\n${screen.replaceAll(/\n+/g, '\n')}`,
      PATIENCE,
    );
  }

  /** Waits until the program has ended; its exit code. */
  async ended(): Promise<number> {
    const status = await until(
      async () => {
        const [dead, code] = (await this.#tmux('display-message', '-p', '#{pane_dead} #{pane_dead_status}')).split(' ');
        return dead === '1' && code;
      },
      () => `the end of ${this.#what}`,
      PATIENCE,
    );
    return Number(status);
  }

  /** Closes it, with what still runs in it. */
  async close(): Promise<void> {
    await this.#tmux('kill-server');
    await rm(this.#folder, { recursive: true, force: true });
  }
}
