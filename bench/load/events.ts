import type { Latency } from './histogram.ts';
import type { Mechanism } from './client.ts';

/** What the load process is told, as JSON lines on its standard input. */
export type Command =
  | {
      readonly do: 'chat';
      readonly seconds: number;
      readonly warm?: number;
      readonly window?: number;
      /** Messages a second of all pairs together, whether or not the last ones came: instead of the closed loop. */
      readonly perSecond?: number;
    }
  | { readonly do: 'logins'; readonly count: number; readonly mechanism: Mechanism; readonly width?: number }
  | { readonly do: 'reconnects'; readonly count: number; readonly rounds: number; readonly width?: number }
  | { readonly do: 'begin'; readonly warm?: number }
  | { readonly do: 'end' }
  | { readonly do: 'quit' };

/** All sessions are there. */
export interface OpenEvent {
  readonly event: 'open';
  readonly sessions: number;
  readonly seconds: number;
  readonly cipher: string;
}

export interface ChatEvent {
  readonly event: 'chat';
  readonly seconds: number;
  readonly delivered: number;
  readonly perSecond: number;
  /** CPU of the server and of the load generator in this window, milliseconds. */
  readonly serverCpu: number;
  /** Of a database behind the server, with all its processes; part of `cpuPerMessage`. */
  readonly databaseCpu: number;
  readonly loadCpu: number;
  /** Server CPU a delivered message, microseconds; 0 without --pid. */
  readonly cpuPerMessage: number;
  readonly latency: Latency;
  readonly errors: number;
  readonly firstError: string;
  /** Messages that had not come 3 seconds after the last one. */
  readonly lost: number;
}

export interface LoginsEvent {
  readonly event: 'logins';
  readonly mechanism: Mechanism;
  readonly count: number;
  readonly seconds: number;
  /** Server CPU a login, milliseconds. */
  readonly cpuPerLogin: number;
  readonly failed: number;
  readonly firstError: string;
}

/** Clients that lost their connections and came back by a token, their sessions resumed. */
export interface ReconnectsEvent {
  readonly event: 'reconnects';
  readonly count: number;
  readonly seconds: number;
  /** Server CPU of one, milliseconds. */
  readonly cpuEach: number;
  readonly failed: number;
  readonly firstError: string;
}

/** The answer to `begin`; that to `end` is a ChatEvent. */
export interface BegunEvent {
  readonly event: 'begun';
}

export interface FailedEvent {
  readonly event: 'failed';
  readonly reason: string;
}

export type LoadEvent = OpenEvent | ChatEvent | LoginsEvent | ReconnectsEvent | BegunEvent | FailedEvent;
