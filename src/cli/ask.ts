import path from 'node:path';
import { CONTROL_SOCKET } from '../node/control-socket.ts';
import type { Common } from './context.ts';
import { NotRunning, requestUnix } from '../transport/unix.ts';

export const EXIT = { done: 0, failed: 1, usage: 2, notRunning: 3 } as const;

/** An end of the command with a sentence for the operator. */
export class CliError extends Error {
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

export type Ask = (command: string, args: Record<string, unknown>) => Promise<unknown>;

/** Operations that can be done on the data folder while no node runs on it. */
const WITHOUT_NODE = /^user\./;

/** Asks the node that runs on the data folder; where none does, user commands work on the folder itself. */
export function asker(options: Common): {
  ask: Ask;
  close(): Promise<void>;
} {
  let own: { run(request: unknown): Promise<unknown>; close(): Promise<void> } | undefined;
  return {
    ask: async (command, args) => {
      const { dataFolder } = await import('../node/config/index.ts');
      const folder = dataFolder({ file: options.conf, data: options.data });
      try {
        return await requestUnix(path.join(folder, CONTROL_SOCKET), { command, args });
      } catch (error) {
        if (!(error instanceof NotRunning)) throw error;
        if (!WITHOUT_NODE.test(command)) {
          throw new CliError(
            `no node runs on the data folder ${folder}. 'posthouse start --data ${folder}' starts one; --data names another folder.`,
            EXIT.notRunning,
          );
        }
        const { openData } = await import('./data.ts');
        own ??= await openData(options);
        return own.run({ command, args });
      }
    },
    close: async () => {
      await own?.close();
    },
  };
}
