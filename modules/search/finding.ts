/*
 * Finding people. By number: one, or nobody. By name: those who are called just so, then those whose name begins so, then those with a word that
 * begins so, then the others; always in the same order, and no more than the host allows. Whom the searcher may not see is not among them, and
 * not counted.
 */
import type { MaybePromise } from '../../src/api/index.ts';
import { Jid, parseJid } from '../../src/jid/index.ts';
import { fold, lengthOf, wordsOf } from './fold.ts';
import type { SearchOptions } from './options.ts';
import type { DirectoryStore, Person } from './store.ts';
import { LONGEST, type Rank, shortened } from './terms.ts';

/** What is searched, as it was typed. What is given must all fit. */
export interface Wanted {
  readonly number?: string | undefined;
  readonly nick?: string | undefined;
  readonly first?: string | undefined;
  readonly last?: string | undefined;
}

export interface FinderParts {
  readonly store: Pick<DirectoryStore, 'get' | 'matching' | 'withNumber'>;
  options(host: string): Pick<SearchOptions, 'byName' | 'byNumber' | 'minimum' | 'number' | 'results'>;
  /** Whether there is such an account that can log in. */
  active(account: Jid): MaybePromise<boolean>;
  /** Those who have blocked somebody, by their bare addresses. */
  blockers(accounts: readonly Jid[], who: Jid): MaybePromise<ReadonlySet<string>>;
}

/** Index entries that one search looks at: some milliseconds. */
const STEPS = 2000;
/** Of them in one go. */
const CHUNK = 100;

interface Look {
  readonly rank: Rank;
  readonly text: string;
  readonly whole: boolean;
}

export class Finder {
  private readonly parts: FinderParts;

  constructor(parts: FinderParts) {
    this.parts = parts;
  }

  /** People of a host, as somebody may find them. `number` is as readNumber has made it; nothing that is to be found finds nobody. */
  async find(host: string, who: Jid, wanted: Wanted): Promise<readonly Person[]> {
    const { number } = wanted;
    if (number === undefined) return this.byName(host, who, wanted);
    const person = await this.byNumber(host, number);
    return person && fitting(wanted, false)(person) && (await this.shown([person], who)).length > 0 ? [person] : [];
  }

  private async byNumber(host: string, number: string): Promise<Person | undefined> {
    const options = this.parts.options(host);
    const account = new Jid(number, host, '');
    const person =
      options.number === 'account'
        ? ((await this.parts.store.get(account)) ?? nameless(account))
        : await this.parts.store.withNumber(host, number);
    if (!person || !(person.byNumber ?? options.byNumber)) return undefined;
    return (await this.parts.active(parseJid(person.account)!)) ? person : undefined;
  }

  private async byName(host: string, who: Jid, wanted: Wanted): Promise<Person[]> {
    const { byName, minimum, results } = this.parts.options(host);
    const fits = fitting(wanted, true);
    const found: Person[] = [];
    const seen = new Set<number>();
    let steps = STEPS;
    for (const look of looksFor(wanted, minimum)) {
      for (const said of byName ? [true, false] : [true]) {
        for (let offset = 0; found.length < results && steps > 0;) {
          const limit = Math.min(CHUNK, steps);
          const matches = await this.parts.store.matching(host, { ...look, said, limit, offset });
          const fresh = matches.filter(({ id, person }) => !seen.has(id) && seen.add(id) && fits(person));
          const people = fresh.map(({ person }) => person);
          found.push(...(await this.shown(people, who)).slice(0, results - found.length));
          steps -= matches.length;
          offset += matches.length;
          if (matches.length < limit) break;
        }
      }
    }
    return found;
  }

  /** Without those who have blocked the searcher. */
  private async shown(people: readonly Person[], who: Jid): Promise<readonly Person[]> {
    if (people.length === 0) return people;
    const accounts = people.map(({ account }) => parseJid(account)!);
    const blockers = await this.parts.blockers(accounts, who);
    return blockers.size === 0 ? people : people.filter(({ account }) => !blockers.has(account));
  }
}

function nameless(account: Jid): Person {
  const nothing = { byNumber: undefined, byName: undefined, number: undefined };
  return { account: account.bare, ...nothing, nick: '', first: '', last: '', all: [] };
}

/** Where to look, one after the other. */
function looksFor({ nick, first, last }: Wanted, minimum: number): Look[] {
  const phrase = fold(nick ?? '');
  const words = phrase === '' ? [first, last].flatMap(name => wordsOf(fold(name ?? ''))) : wordsOf(phrase);
  const text = words.toSorted((a, b) => lengthOf(b) - lengthOf(a))[0];
  if (text === undefined) return [];
  const begin = (characters: string): string => shortened([...characters]);
  const just: Look[] = phrase === '' ? [] : [{ rank: 'name', text: begin(phrase), whole: true }];
  if (lengthOf(phrase || text) < minimum)
    return phrase === '' ? (['name', 'word'] as const).map(rank => ({ rank, text: begin(text), whole: true })) : just;
  const named: Look[] = phrase === '' || phrase === text ? [] : [{ rank: 'name', text: begin(phrase), whole: false }];
  const ranks: readonly Rank[] = ['name', 'word', 'inside'];
  return [...just, ...named, ...ranks.map(rank => ({ rank, text: begin(text), whole: false }))];
}

/** Whether all that is wanted fits somebody. `indexed`: the person was found in the index by the longest word of it. */
function fitting({ nick, first, last }: Wanted, indexed: boolean): (person: Person) => boolean {
  const phrase = fold(nick ?? '');
  const words = wordsOf(phrase);
  const [given, family] = [fold(first ?? ''), fold(last ?? '')];
  const known = indexed && words.length <= 1 && lengthOf(phrase) <= LONGEST;
  return person =>
    (known || someName(person, words)) &&
    (given === '' || fold(person.first).includes(given)) &&
    (family === '' || fold(person.last).includes(family));
}

function someName({ all }: Person, words: readonly string[]): boolean {
  const names = all.map(fold);
  return words.every(word => names.some(name => name.includes(word)));
}
