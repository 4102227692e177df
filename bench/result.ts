/** What a row says, kept in bench/results/ as JSON; report.ts makes docs/benchmarks.md of it. */
export interface RowResult {
  readonly row: string;
  readonly title: string;
  readonly claims: readonly Claim[];
  readonly tables: readonly Table[];
  /** Sentences: how it was measured, and why something is missing. */
  readonly notes: readonly string[];
  readonly ran: Ran;
}

export interface Ran {
  /** ISO 8601. */
  readonly at: string;
  readonly seconds: number;
  readonly quick: boolean;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** One figure of Posthouse, beside the same of the floor and the peers. */
export interface Claim {
  readonly what: string;
  readonly unit: string;
  /** What it must reach, as a sentence; empty where nothing is demanded. */
  readonly target: string;
  /** By name of the target program; absent where it did not run. */
  readonly values: Readonly<Record<string, number>>;
  /** Posthouse against the floor, from values measured in turn. */
  readonly ratio?: number;
  readonly met?: boolean;
}

export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly lines: readonly (readonly (string | number)[])[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Rounds to three significant digits at least, so that results read well. */
export function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
