import type { Safety } from '../bus/index.ts';
import type { Unit } from '../util/unit.ts';

export interface OutboxLimits {
  /** Bytes that may wait, written or not, acknowledged not. */
  readonly bytes: number;
  /** Stanzas that may wait. */
  readonly stanzas: number;
}

/** A stanza that its client never took, on its way elsewhere. */
export interface Leftover {
  readonly wire: string;
  /** When it entered the outbox; milliseconds since 1970. */
  readonly since: number;
  /** Told with true once the stanza is safe elsewhere. */
  readonly taken: ((taken: boolean) => void) | undefined;
  /** Nobody else needs it: an answer, a push. */
  readonly disposable: boolean;
  /** What its sender waits for. */
  readonly safety: Safety | undefined;
  /** While it is being stored; `taken` is right afterwards. */
  readonly storing: Promise<void> | undefined;
  /** Until that is committed it is not written, and may yet be withdrawn. */
  readonly unit: Unit | undefined;
  /** Its number in the journal; 0 where that has it without one, undefined where it has not. */
  readonly number: number | undefined;
}

/** Whose outbox it is. */
export interface OutboxOwner {
  /** The client has a message that has a story (Packet.story). */
  told(story: number): void;
}

/** A stanza in an outbox. */
export interface Item extends Leftover {
  wire: string;
  taken: ((taken: boolean) => void) | undefined;
  disposable: boolean;
  safety: Safety | undefined;
  storing: Promise<void> | undefined;
  /** Packet.story. */
  readonly story: number;
  unit: Unit | undefined;
  number: number | undefined;
  /** Whether the journal has it. */
  kept: boolean;
  /** Its place among all that were ever in the queue. */
  place: number;
}

export type OutboxItem = Readonly<Item>;

/** A message as the journal has it: see `sentRecord`. */
export interface KeptItem {
  readonly number: number;
  readonly since: number;
  readonly wire: string;
}
