import type { Result } from './results.ts';

/** The cases that need features which are not there yet: the name as in `Result`, and the reason. */
export type Excuses = ReadonlyMap<string, string>;

/** The cases that fail by chance, inside Smack: the name as in `Result`, and how. */
export type Races = ReadonlyMap<string, string>;

/**
 * Reads excuses.txt or races.txt: a case and its reason a line, in two columns; lines that begin with '#' are remarks.
 *
 * @param file its name, for what is wrong with it
 * @throws on any other line
 */
export function readCases(text: string, file: string): ReadonlyMap<string, string> {
  const cases = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^(\w+\.(?:\w+|\*)) +(\S.*)$/.exec(line);
    const [, name = '', reason = ''] = match ?? [];
    if (!match) throw new Error(`${file}:${index + 1}: not "Class.method  reason": ${line}`);
    if (cases.has(name)) throw new Error(`${file}:${index + 1}: ${name} is there twice`);
    cases.set(name, reason.trim());
  }
  return cases;
}

/** The cases that did not pass and are not excused, by name. */
export function unexcused(results: readonly Result[], excuses: Excuses): string[] {
  const names = results
    .filter(({ name, outcome }) => outcome !== 'passed' && !excuses.has(name))
    .map(({ name }) => name);
  return [...new Set(names)];
}

export interface Verdict {
  /** What makes the run fail, a sentence each. */
  readonly problems: readonly string[];
  readonly passed: number;
  /** Those excused, by reason. */
  readonly excused: ReadonlyMap<string, readonly string[]>;
}

/**
 * Judges a run. An excuse is for what failed or could not be run; one that was not needed is a problem too, as otherwise nobody would
 * notice that the case can fail again. `whole`: all cases were run, so that an excuse for none of them is a problem.
 */
export function judge(results: readonly Result[], excuses: Excuses, whole = true): Verdict {
  const problems: string[] = [];
  const excused = new Map<string, string[]>();
  const seen = new Set<string>();
  let passed = 0;
  for (const { name, variant, outcome, reason } of results) {
    const excuse = excuses.get(name);
    if (excuse !== undefined) seen.add(name);
    if (outcome === 'passed') {
      passed++;
      if (excuse !== undefined) problems.push(`${name} (${variant}) passes: take it out of excuses.txt`);
    } else if (excuse === undefined) {
      problems.push(`${name} (${variant}) ${outcome === 'failed' ? 'failed' : 'was not run'}: ${reason}`);
    } else {
      const names = excused.get(excuse) ?? [];
      if (!names.includes(name)) names.push(name);
      excused.set(excuse, names);
    }
  }
  for (const name of whole ? excuses.keys() : []) {
    if (seen.has(name)) continue;
    const [folder] = name.split('.');
    const ran = results.some(result => result.name.startsWith(`${folder}.`));
    problems.push(
      name.endsWith('.*') && ran
        ? `${name} is excused as a whole, but was run: excuse its cases one by one`
        : `${name} is in excuses.txt, but there is no such case`,
    );
  }
  return { problems, passed, excused };
}
