import { type Entry, type Judgement, userOf } from '../crash/ledger.ts';
import type { Harm } from './network.ts';

export interface WeakRun {
  readonly seed: number;
  /** Messages each way. */
  readonly messages: number;
  /** Connections that break, at least. */
  readonly cuts: number;
  readonly harms?: readonly Harm[];
}

export interface WeakOutcome {
  readonly judgement: Judgement;
  readonly sent: number;
  readonly cuts: number;
  readonly harms: ReadonlyMap<Harm, number>;
}

/** Two devices a user. */
export const RESOURCES = ['phone', 'desk'];

/** Where a message has to be: on all devices of its recipient, and by carbon (XEP-0280) on the others of its sender. */
export function everywhere({ from, to }: Entry): string[] {
  const own = userOf(from);
  return [
    ...RESOURCES.map(resource => `${to}/${resource}`),
    ...RESOURCES.map(resource => `${own}/${resource}`).filter(other => other !== from),
  ];
}
