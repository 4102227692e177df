import type { Writable } from 'node:stream';
import type { Span } from './ranges.ts';

/** There is no room for a file. */
export class NoRoom extends Error {}
/** Where files are kept does not answer, or not as it should. */
export class Unreachable extends Error {}
/** What came was not as long as it was said to be. */
export class WrongLength extends Error {}

/** What a file is given with, where a store gives files to clients itself. */
export interface Given {
  readonly type: string;
  readonly disposition: string;
}

/** A file, or a part of it, that is about to be read, once: one of the two is called. */
export interface Body {
  /**
   * Writes all of it, as fast as it is taken, and ends that. Rejects when one of both fails. What is written holds only until `to` says that it
   * has taken it, as a socket does.
   */
  sendTo(to: Writable): Promise<void>;
  /** For who does not want it. */
  destroy(): void;
}

/** What lies in a store. */
export interface Lying {
  readonly name: string;
  /** When it was put there, in milliseconds since 1970. */
  readonly since: number;
}

/**
 * Where files are kept, each by a name of 32 hexadecimal digits. A file is there whole or not at all, whatever happens while it comes; it
 * never changes. files.contract.ts says the same in tests.
 */
export interface Files {
  /**
   * Takes a file in; resolved when it outlives a power cut. Rejects with NoRoom, Unreachable, WrongLength, or with what `body` or `signal`
   * failed with; nothing of it is left then.
   */
  put(name: string, body: AsyncIterable<Uint8Array>, size: number, given: Given, signal: AbortSignal): Promise<void>;
  /** The file, or a part of it; undefined where there is none. Rejects with Unreachable. */
  get(name: string, span?: Span): Promise<Body | undefined>;
  /** An address where a client gets it without us, for so many seconds; undefined where there are none. */
  link(name: string, given: Given, seconds: number): Promise<string> | undefined;
  /** Nothing happens where there is none. */
  remove(name: string): Promise<void>;
  /** Whether there is room for a file of that size now. */
  hasRoom(size: number): Promise<boolean>;
  /** What lies there with names that begin with these two digits. */
  lying(prefix: string): AsyncIterable<Lying>;
  /** Removes what is left of files that did not come to their end, of before `before` (milliseconds since 1970). */
  tidy(before: number): Promise<void>;
  /** Why it cannot be used, as a sentence for the operator; undefined when all is well. */
  problem(): Promise<string | undefined>;
  /** It is not used any more. */
  close(): void;
}
