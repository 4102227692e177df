/*
 * What stands in the index for a name: the name itself, each of its words, and what each word ends in. So whatever part of a name somebody types,
 * something in the index begins with it, and all that does lies together: in any script, and in any database.
 */
import { fold, wordsOf } from './fold.ts';

/** Where in a name a term stands; the better ones are shown first. */
export type Rank = 'name' | 'word' | 'inside';

export interface Term {
  readonly rank: Rank;
  readonly text: string;
}

/** Characters of a term. What is longer is looked up by its beginning. */
export const LONGEST = 24;
/** The shortest end of a word: a single character is found only where a name or a word begins with it. */
const SHORTEST_END = 2;
/** Terms of one person: those of about ten names. */
const MOST = 200;

/** The terms of some names and of parts of them, each once and under the best of its ranks. */
export function termsOf(names: readonly string[], parts: readonly string[] = []): Term[] {
  const terms = new Map<string, Rank>();
  const folded = [...new Set(names.map(fold))].filter(name => name !== '');
  for (const name of folded) add(terms, 'name', [...name]);
  const words = [...new Set([...folded, ...parts.map(fold)].flatMap(wordsOf))].map(word => [...word]);
  for (const word of words) add(terms, 'word', word);
  for (const word of words) {
    for (let from = 1; from + SHORTEST_END <= word.length; from++) add(terms, 'inside', word.slice(from));
  }
  return [...terms].slice(0, MOST).map(([text, rank]) => ({ rank, text }));
}

function add(terms: Map<string, Rank>, rank: Rank, characters: readonly string[]): void {
  const text = shortened(characters);
  if (!terms.has(text)) terms.set(text, rank);
}

/** The beginning of a term that stands in the index. */
export function shortened(characters: readonly string[]): string {
  return characters.slice(0, LONGEST).join('').trimEnd();
}
