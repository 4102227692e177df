import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
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

/** ms that a command waits for another one that works on the data folder, and between two attempts. */
const PATIENCE = 10_000;
const LOOK = 50;
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
      for (const until = performance.now() + PATIENCE; ;) {
        try {
          return await requestUnix(path.join(folder, CONTROL_SOCKET), { command, args });
        } catch (error) {
          if (!(error instanceof NotRunning)) throw error;
        }
        if (!WITHOUT_NODE.test(command)) {
          throw new CliError(
            `no node runs on the data folder ${folder}. 'posthouse start --data ${folder}' starts one; --data names another folder.`,
            EXIT.notRunning,
          );
        }
        const { FolderInUse, openData } = await import('./data.ts');
        try {
          own ??= await openData(options);
          return await own.run({ command, args });
        } catch (error) {
          // another command, which is soon done, or a node, which can soon be asked
          if (!(error instanceof FolderInUse) || performance.now() > until) throw error;
          await delay(LOOK);
        }
      }
    },
    close: async () => {
      await own?.close();
    },
  };
}
