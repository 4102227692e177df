import net from 'node:net';

const FIRST = 10_000;
/** As many for each of the processes that run tests side by side; all below those that the kernel gives to clients. */
const EACH = 5_000;
const worker = Number(process.env.MOCHA_WORKER_ID ?? 3) % 4;

// not where the last run left off: its connections may linger
let next = process.pid % EACH;

/** A loopback port that nobody listens on, and that is given to nobody else. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < EACH; tries++) {
    const port = FIRST + worker * EACH + next;
    next = (next + 1) % EACH;
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
