import pino, { type DestinationStream, type Logger } from 'pino';

export interface LogSettings {
  readonly level: string;
  readonly format: 'auto' | 'pretty' | 'json';
  /** '' for standard output. */
  readonly file: string;
}

/** Whether logs are for people: at a terminal, unless the configuration says otherwise. */
export function forPeople(settings: LogSettings, descriptor = 1): boolean {
  if (settings.format !== 'auto') return settings.format === 'pretty';
  return settings.file === '' && (descriptor === 1 ? process.stdout.isTTY : process.stderr.isTTY) === true;
}

/** Makes the node's logger. Lines never hold passwords, tokens or message bodies: nothing that could is given to it. */
export function makeLog(settings: LogSettings, descriptor = 1): { logger: Logger; flush(): void } {
  const target = settings.file === '' ? descriptor : settings.file;
  const sink = pino.destination({ dest: target, sync: true, append: true, mkdir: true });
  const stream: DestinationStream = forPeople(settings, descriptor)
    ? { write: line => sink.write(plainLine(line)) }
    : sink;
  const logger = pino({ level: settings.level, base: undefined, redact: ['password', '*.password'] }, stream);
  return { logger, flush: () => sink.flushSync() };
}

const LEVELS: Record<number, string> = { 10: 'trace', 20: 'debug', 30: '', 40: 'WARNING ', 50: 'ERROR ', 60: 'FATAL ' };

/** A JSON line as a line for people: time, level if it matters, text, then the details. */
function plainLine(line: string): string {
  const { level, time, msg, err, ...rest } = JSON.parse(line) as {
    level: number;
    time: number;
    msg?: string;
    err?: { message?: string; stack?: string };
  };
  const clock = new Date(time).toTimeString().slice(0, 8);
  const details = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  const fault = err ? `\n  ${level >= 50 ? (err.stack ?? err.message) : err.message}` : '';
  return `${clock} ${LEVELS[level] ?? ''}${msg ?? ''}${details ? `  (${details})` : ''}${fault}\n`;
}
