/** What became of a case. Smack calls a case that the server cannot be asked to pass "not possible". */
export type Outcome = 'passed' | 'failed' | 'not run';

export interface Result {
  /** `Class.method`, or `Class.*` for a class that was not run at all. */
  readonly name: string;
  /** In which way it was run: the kind of test, and of connection where there are several. */
  readonly variant: string;
  readonly outcome: Outcome;
  /** Why it failed or was not run, in Smack's words. */
  readonly reason: string;
}

export interface Run {
  readonly results: readonly Result[];
  /** Classes that the framework left out as it was told to: those that are not asked for. */
  readonly disabled: readonly string[];
  /** What is wrong with the run as such; none of its results count then. */
  readonly broken?: string;
}

const CASE = /^\w+: (\w+\.\w+) \(([^)]*)\) (Success|Failed|is not possible)$/;
const REASON = /^\w+: (\w+\.\w+) \(([^)]*)\) failed: (.*)$/;
const IMPOSSIBLE_CASE = /^\w+: Could not run (\w+\.\w+) \(([^)]*)\) because: (.*)$/;
const IMPOSSIBLE_CLASS = /^\w+: Could not run ([\w.]*\.)?(\w+) because: (.*)$/;
const DISABLED = /^Disabled class ([\w.]*\.)?(\w+) because /;
const AVAILABLE = /^Available tests: (\d+)/;
const FINISHED = /^\w+: SmackIntegrationTestFramework\s*\[\w+\] finished: (\d+)\/(\d+) \[(\d+) failed\]$/;

const OUTCOMES: Record<string, Outcome> = { Success: 'passed', Failed: 'failed', 'is not possible': 'not run' };

/** Reads what the framework printed, one line a record as `LOG_FORMAT` (smack.ts) makes it. */
export function readResults(text: string): Run {
  const results = new Map<string, Result>();
  const classes: Result[] = [];
  const disabled: string[] = [];
  let available: number | undefined;
  let finished: RegExpExecArray | undefined;
  for (const line of text.split('\n')) {
    const ended = CASE.exec(line);
    if (ended) {
      const [, name = '', variant = '', word = ''] = ended;
      results.set(`${name} (${variant})`, { name, variant, outcome: OUTCOMES[word]!, reason: '' });
      continue;
    }
    const why = REASON.exec(line) ?? IMPOSSIBLE_CASE.exec(line);
    if (why) {
      const [, name = '', variant = '', reason = ''] = why;
      const key = `${name} (${variant})`;
      const outcome = results.get(key)?.outcome ?? 'not run';
      results.set(key, { name, variant, outcome, reason });
      continue;
    }
    const whole = IMPOSSIBLE_CLASS.exec(line);
    if (whole) {
      classes.push({ name: `${whole[2]}.*`, variant: 'class', outcome: 'not run', reason: whole[3] ?? '' });
      continue;
    }
    const left = DISABLED.exec(line);
    if (left) disabled.push(left[2] ?? '');
    available ??= number(AVAILABLE.exec(line)?.[1]);
    finished ??= FINISHED.exec(line) ?? undefined;
  }
  const all = [...results.values(), ...classes];
  if (finished === undefined) return { results: all, disabled, broken: 'the framework ended before it was done' };
  const count = (outcome: Outcome): number => [...results.values()].filter(one => one.outcome === outcome).length;
  // what the framework counts must be what was read, or something was overlooked
  const told = { passed: number(finished[1]), failed: number(finished[3]), available };
  if (told.passed !== count('passed') || told.failed !== count('failed') || told.available !== results.size) {
    return {
      results: all,
      disabled,
      broken: `the framework speaks of ${told.available} cases, and ${results.size} were read`,
    };
  }
  return { results: all, disabled };
}

function number(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}
