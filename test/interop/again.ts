import type { Result, Run } from './results.ts';
import { type Excuses, type Races, unexcused } from './verdict.ts';

/** So many cases of a run may fail by chance. Where more fail something is broken, and none is run again. */
export const AGAIN_AT_MOST = 4;

/** How often a case is run again alone that races.txt names; others are once. */
const TRIES = 5;

/**
 * Runs each case that did not pass, and is not excused, again with nothing before it; it counts as it came out there. Once, or, where
 * it is known to race inside Smack, until it passes.
 *
 * @param alone runs one case, or one class (`Class.*`), with nothing before it
 * @param say is told of each case that is run again, and how that went
 */
export async function againAlone(
  first: Run,
  { excuses, races }: { excuses: Excuses; races: Races },
  alone: (name: string) => Promise<Run>,
  say: (line: string) => void,
): Promise<Run> {
  if (first.broken !== undefined) return first;
  const names = unexcused(first.results, excuses);
  if (names.length > AGAIN_AT_MOST) {
    say(`${names.length} cases did not pass: too many for chance, none is run again`);
    return first;
  }
  let run = first;
  for (const name of names) {
    const before = first.results.find(result => result.name === name && result.outcome !== 'passed')!;
    say(`${name} ${told(before)}; it is run again with nothing before it`);
    for (let left = races.has(name) ? TRIES : 1; left > 0; left--) {
      const next = await alone(name);
      run = replaced(run, name, next);
      if (run.broken !== undefined) return run;
      const after = next.results.filter(result => belongsTo(result, name)).find(({ outcome }) => outcome !== 'passed');
      say(`${name} ${after ? told(after) : 'passed'} when it was run alone`);
      if (!after) break;
    }
  }
  return run;
}

/** The run, with the results that a case had in another run instead of its own. */
export function replaced(run: Run, name: string, other: Run): Run {
  const own = other.results.filter(result => belongsTo(result, name));
  const rest = run.results.filter(result => result.name !== name);
  const wanted = run.results.filter(result => result.name === name && result.outcome !== 'passed');
  const ran = ({ variant }: Result): boolean => own.some(result => variant === 'class' || result.variant === variant);
  const missing = wanted.every(ran) ? undefined : `${name} was to be run alone, and was not`;
  return { ...run, results: [...rest, ...own], broken: run.broken ?? other.broken ?? missing };
}

/** Whether a result is of the case, or of the class that `Class.*` names. */
function belongsTo(result: Result, name: string): boolean {
  return result.name === name || (name.endsWith('.*') && result.name.startsWith(name.slice(0, -1)));
}

function told({ variant, outcome, reason }: Result): string {
  return `(${variant}) ${outcome === 'failed' ? 'failed' : 'was not run'}: ${reason}`;
}
