import { type Ask, asker } from './ask.ts';
import { print, table } from './print.ts';

/** Options of all commands. */
export interface Common {
  readonly conf?: string;
  readonly data?: string;
  readonly domain?: string;
  readonly json?: boolean;
}

/** What the commands share. */
export class Context {
  /** Exit code of the command. */
  code = 0;
  private readonly common: () => Common;

  constructor(common: () => Common) {
    this.common = common;
  }

  get options(): Common {
    return this.common();
  }

  /** Runs an action that asks the running node, or works on its data. */
  async run(action: (ask: Ask) => Promise<void>): Promise<void> {
    const { ask, close } = asker(this.options);
    try {
      await action(ask);
    } finally {
      await close();
    }
  }

  /** Prints a sentence, or the result it tells of. */
  say(text: string, result: unknown): void {
    print(this.options.json === true, result, () => text);
  }

  /** Prints rows. */
  table(rows: readonly Record<string, unknown>[], columns: readonly string[], empty: string): void {
    print(this.options.json === true, rows, () => table(rows, columns, empty));
  }

  /** Prints names and values, one a line. */
  lines(row: Record<string, unknown>): void {
    print(this.options.json === true, row, () => {
      const width = Math.max(...Object.keys(row).map(key => key.length));
      return Object.entries(row)
        .map(
          ([key, value]) => `${key.padEnd(width)}  ${Array.isArray(value) ? value.join(', ') : String(value ?? '-')}`,
        )
        .join('\n');
    });
  }
}

/** Text behind a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map(line => `  ${line}`).join('\n')}`;
}
