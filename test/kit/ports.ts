import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const FIRST = 10_000;
/** As many for each of the processes that run tests side by side; all below those that the kernel gives to clients. */
const EACH = 5_000;
const worker = Number(process.env.MOCHA_WORKER_ID ?? 3) % 4;

// not where the last run left off: its connections may linger
let next = process.pid % EACH;

/** A file for each port that is taken, in which its process stands: others may run tests at the same time, of another checkout. */
const TAKEN = path.join(tmpdir(), 'posthouse-test-ports');
const own = new Set<string>();
/** Whether they are given back when the process ends. */
let released = false;

/** A loopback port that nobody listens on, and that is given to nobody else. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < EACH; tries++) {
    const port = FIRST + worker * EACH + next;
    next = (next + 1) % EACH;
    if (take(port) && (await isFree(port))) return port;
  }
  throw new Error('no port is free');
}

/** Takes a port for as long as this process lives. False when it is another's. */
function take(port: number): boolean {
  const file = path.join(TAKEN, String(port));
  if (own.has(file)) return true;
  if (!released) {
    released = true;
    mkdirSync(TAKEN, { recursive: true, mode: 0o777 });
    process.once('exit', () => [...own].forEach(name => rmSync(name, { force: true })));
  }
  for (let tries = 0; tries < 2; tries++) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      own.add(file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || lives(file)) return false;
      rmSync(file, { force: true });
    }
  }
  return false;
}

function lives(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch (error) {
    // somebody else's, or in the middle of being written
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
