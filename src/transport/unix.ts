import { chmodSync, rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

/** Bytes of a path that the system takes for a socket (sun_path, without its end). */
const LONGEST = process.platform === 'linux' ? 107 : 103;

/** The path as it can be given to the system: from the working folder on, where that is shorter. */
function address(file: string): string {
  if (Buffer.byteLength(file) <= LONGEST) return file;
  const short = path.relative('.', file);
  if (Buffer.byteLength(short) <= LONGEST) return short;
  throw new Error(`the path ${file} is too long for a socket (${LONGEST} bytes): give the data folder a shorter one.`);
}

/** Longest request or answer, in characters. */
const MOST = 16 * 1024 * 1024;

/**
 * Serves requests of JSON lines on a Unix socket that only its owner can open. A path left behind by a process that died is taken
 * over; the caller has made sure that none lives.
 */
export async function serveUnix(
  file: string,
  answer: (request: unknown) => Promise<unknown>,
): Promise<{ close(): void }> {
  const at = address(file);
  rmSync(file, { force: true });
  const server = net.createServer(socket => {
    socket.on('error', () => socket.destroy());
    readLines(socket, line => {
      let request: unknown;
      try {
        request = JSON.parse(line);
      } catch {
        socket.end(`${JSON.stringify({ ok: false, error: 'not JSON' })}\n`);
        return;
      }
      answer(request).then(
        result => socket.end(`${JSON.stringify({ ok: true, result })}\n`),
        (error: unknown) =>
          socket.end(
            `${JSON.stringify({ ok: false, error: error instanceof Error ? error.message : String(error) })}\n`,
          ),
      );
    });
  });
  // nobody may come in between making it and closing it to others
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(at, resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(file, 0o600);
  server.unref();
  return {
    close: () => {
      server.close();
      rmSync(file, { force: true });
    },
  };
}

/** Nobody listens on the socket. */
export class NotRunning extends Error {}

/** Asks one thing. Rejects with NotRunning, or with the answer's own error. */
export function requestUnix(file: string, request: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(address(file));
    let answered = false;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
          ? new NotRunning(`nobody listens on ${file}`, { cause: error })
          : error,
      );
    });
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('close', () => {
      if (!answered) reject(new Error('the node closed the connection without an answer'));
    });
    readLines(socket, line => {
      answered = true;
      const response = JSON.parse(line) as { ok: boolean; result?: unknown; error?: string };
      if (response.ok) resolve(response.result);
      else reject(new Error(response.error));
      socket.destroy();
    });
  });
}

function readLines(socket: net.Socket, onLine: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    rest += chunk;
    if (rest.length > MOST) {
      socket.destroy();
      return;
    }
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      onLine(line);
    }
  });
}
