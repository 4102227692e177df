import type { Outcome } from './run.ts';
import type { Invariant } from './ledger.ts';

/** Something that does not hold yet. */
export interface Known {
  readonly scenario: string;
  readonly invariant: Invariant;
  /** Kills within which it is always seen: a run of so many in which it is not seen fails, so that the line is struck off. */
  readonly within: number;
  readonly why: string;
}

/** Whether the server drops what a client sends again with the same origin-id. Where it does not `repeated` is no fault. */
export const DEDUP = true;

/** All that is known not to hold. A line that holds is struck off: the runs fail until it is. */
export const KNOWN: readonly Known[] = [];

export interface Finding {
  readonly invariant: Invariant;
  readonly count: number;
  /** `new`: a fault; `known`: on the list; `held`: on the list, and not seen though it had to be. */
  readonly kind: 'new' | 'known' | 'held';
  readonly text: string;
}

/** What an outcome says, in the light of what is known. Only `known` findings are no failure. */
export function findings(outcome: Outcome, known: readonly Known[] = KNOWN, dedup = DEDUP): Finding[] {
  const found: Finding[] = [];
  const { verdict } = outcome.judgement;
  for (const [name, count] of Object.entries(verdict) as [Invariant, number][]) {
    if (name === 'repeated' && !dedup) continue;
    const entry = known.find(({ scenario, invariant }) => scenario === outcome.scenario.name && invariant === name);
    if (count > 0) {
      const kind = entry ? 'known' : 'new';
      const examples = outcome.judgement.examples(name);
      const text = entry ? `${entry.why} (${examples})` : examples;
      found.push({ invariant: name, count, kind, text });
    } else if (entry && outcome.rounds >= entry.within) {
      const text = `it holds now: strike '${outcome.scenario.name}: ${name}' off test/crash/known.ts`;
      found.push({ invariant: name, count, kind: 'held', text });
    }
  }
  return found;
}
