import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Pin to this processor, so that a server has one core and the load generator another. */
  readonly core?: number;
  /** Output goes to this file; without it, standard input and output are piped and standard error is inherited. */
  readonly log?: string;
}

const running = new Set<Started>();
const canPin = existsSync('/usr/bin/taskset') && availableParallelism() > 1;

/** Keeps a running process to one core, where that can be done. */
export function pin(pid: number, core: number): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
}

/** A process that the bench started, in a process group of its own, which `stop` ends. */
export class Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<void>;
  hasExited = false;

  constructor(program: Program) {
    const { command, args, env, cwd, core, log } = program;
    // taskset replaces itself by the program, so that the pid is the program's.
    const pinned = core !== undefined && canPin && !process.env.BENCH_NO_PIN;
    const output = log ? openSync(log, 'a') : undefined;
    this.child = spawn(pinned ? 'taskset' : command, pinned ? ['-c', String(core), command, ...args] : [...args], {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: output === undefined ? ['pipe', 'pipe', 'inherit'] : ['ignore', output, output],
    });
    if (this.child.pid === undefined) throw new Error(`${command} cannot be started`);
    this.pid = this.child.pid;
    this.exited = new Promise(resolve => {
      this.child.once('exit', () => {
        this.hasExited = true;
        running.delete(this);
        resolve();
      });
    });
    running.add(this);
  }

  /** SIGTERM, then SIGKILL after 10 seconds; waits for the whole group, for npm ends before what it started. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    for (const until = performance.now() + 10_000; this.groupLives && performance.now() < until;) await sleep(20);
    this.kill('SIGKILL');
    await this.exited;
  }

  private get groupLives(): boolean {
    return this.kill(0);
  }

  signal(name: NodeJS.Signals): void {
    if (!this.hasExited) this.kill(name);
  }

  /** False when nobody of the group is there any more. */
  private kill(signal: NodeJS.Signals | 0): boolean {
    try {
      process.kill(-this.pid, signal);
      return true;
    } catch {
      return false;
    }
  }
}

/** Ends everything that still runs; for the way out after an error or Ctrl-C. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(started => started.stop()));
}
