import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import pino, { type DestinationStream, type Logger } from 'pino';

export interface LogSettings {
  readonly level: string;
  readonly format: 'auto' | 'pretty' | 'json';
  /** '' for standard output. */
  readonly file: string;
}

/** A node's log. */
export interface Log {
  readonly logger: Logger;
  /** Opens the file again: the old one was moved away. */
  reopen(): void;
  close(): void;
}

const STDOUT = 1;
/** Who may read a log file: its owner, and a group that an operator gives it to. */
const MODE = 0o640;
/** Characters that may wait for a log that cannot be written; what comes then is dropped. */
const WAITING = 1024 * 1024;
/** ms between two complaints that the log cannot be written. */
const COMPLAIN = 60_000;

/** Whether logs are for people: at a terminal, unless the configuration says otherwise. */
export function forPeople(settings: LogSettings, descriptor = STDOUT): boolean {
  if (settings.format !== 'auto') return settings.format === 'pretty';
  return settings.file === '' && (descriptor === STDOUT ? process.stdout.isTTY : process.stderr.isTTY) === true;
}

/**
 * Makes the node's logger. Lines never hold passwords, tokens or message bodies: nothing that could is given to it. A log that
 * cannot be written, on a full disk or behind a reader that went away, stops nobody. Rejects with a sentence when the file cannot be opened.
 */
export async function openLog(settings: LogSettings, descriptor = STDOUT): Promise<Log> {
  const toFile = settings.file !== '';
  if (toFile) mustOpen(settings.file);
  const dest = toFile ? settings.file : descriptor;
  const sink = pino.destination({ dest, sync: true, append: true, mkdir: true, mode: MODE, maxLength: WAITING });
  let complained = -Infinity;
  let failing = false;
  sink.on('error', (error: Error) => {
    failing = true;
    const now = performance.now();
    if (!toFile || now - complained < COMPLAIN) return;
    complained = now;
    process.stderr.write(`posthouse: the log ${settings.file} cannot be written: ${error.message}\n`);
  });
  sink.on('write', () => (failing = false));
  let stream: DestinationStream = sink;
  if (forPeople(settings, descriptor)) {
    const pretty = await prettifier(!toFile && process.stdout.hasColors?.() === true);
    stream = { write: line => sink.write(pretty(line)) };
  }
  const logger = pino({ level: settings.level, base: undefined, redact: ['password', '*.password'] }, stream);
  return {
    logger,
    reopen: () => {
      if (toFile) sink.reopen();
    },
    close: () => {
      // it would try for ever
      if (!failing) sink.flushSync();
    },
  };
}

function mustOpen(file: string): void {
  try {
    closeSync(openSync(file, 'a', MODE));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return; // its folder will be made
    const why = code === 'EISDIR' ? 'it is a folder' : code === 'EACCES' ? 'this user may not write there' : message;
    throw new Error(`the log ${path.resolve(file)} cannot be opened: ${why}. Correct log.file in the configuration.`, {
      cause: error,
    });
  }
}

/** Makes lines for people of lines of JSON: time, level, text, and the details behind it. */
async function prettifier(colorize: boolean): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  return prettyFactory({ translateTime: 'SYS:HH:MM:ss', singleLine: true, colorize });
}
