import type { Jid } from '../../src/jid/index.ts';
import type { Target } from './channel.ts';

/** A device of an account, which can be told something. */
export interface Device {
  /** What publishers call it: nobody can guess it. */
  readonly node: string;
  readonly owner: Jid;
  /** The name of its channel. */
  readonly channel: string;
  /** What its app calls it; with owner and channel it is one. */
  readonly name: string;
  readonly target: Target;
  /** What publishers show. */
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly registeredAt: number;
}
