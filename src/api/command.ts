import type { StanzaError } from '../protocol/index.ts';
import type { Element } from '../xml/index.ts';
import type { Jid } from '../jid/index.ts';

/** What an ad-hoc command (XEP-0050) is asked to do. */
export interface CommandRequest {
  readonly from: Jid;
  /** The domain whose command it is. */
  readonly host: string;
  /** The submitted form's fields by name, each with its values; undefined at the first stage. */
  readonly values: ReadonlyMap<string, readonly string[]> | undefined;
  readonly action: 'execute' | 'next' | 'complete' | 'prev';
  /** What the command keeps between the stages of one execution. */
  readonly state: Map<string, unknown>;
}

/** A stage to fill in, or the end. */
export type CommandResult =
  | { readonly form: Element; readonly actions?: readonly ('prev' | 'next' | 'complete')[] }
  | { readonly done: true; readonly note?: { type: 'info' | 'warn' | 'error'; text: string }; readonly form?: Element }
  | StanzaError;

/** An ad-hoc command of the host. */
export interface Command {
  readonly node: string;
  /** For people. */
  readonly name: string;
  /** Everybody, who administers the host, or who administers all hosts of the node. */
  readonly access: 'user' | 'admin' | 'operator';
  readonly run: (request: CommandRequest) => CommandResult | Promise<CommandResult>;
}
