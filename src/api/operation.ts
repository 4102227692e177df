import type { Jid } from '../jid/index.ts';

/** What an operator asked for cannot be done, and why: a sentence for them. */
export class NotDone extends Error {}

/** What `posthouse` gave with a command. */
export interface OperationArguments {
  /** @throws with a sentence for the operator when it is not there */
  text(name: string): string;
  optional(name: string): string | undefined;
  /** An address, if one is given. @throws when it is none */
  address(name: string): Jid | undefined;
}

/** What a module does for `posthouse`, over the socket in the data folder. */
export interface ModuleOperation {
  /** 'message.trace'. */
  readonly name: string;
  /** Whether it changes nothing, so that the log need not tell of it. */
  readonly looks: boolean;
  /** What it returns is printed. What it rejects with is a failure of the module, unless it is a `NotDone`. */
  readonly run: (args: OperationArguments) => unknown;
}
