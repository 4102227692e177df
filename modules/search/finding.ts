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
  readonly store: Pick<DirectoryStore, 'frequency' | 'get' | 'matching' | 'withNumber'>;
  options(host: string): Pick<SearchOptions, 'byName' | 'byNumber' | 'minimum' | 'number' | 'results'>;
  /** Whether there is such an account that can log in. */
  active(account: Jid): MaybePromise<boolean>;
  /** Those who have blocked somebody, by their bare addresses. */
  blockers(accounts: readonly Jid[], who: Jid): MaybePromise<ReadonlySet<string>>;
}

/** Index entries that one search looks at: some milliseconds. */
const STEPS = 1000;
/** Of them in one go. */
const CHUNK = 100;
/** What is found more often than that is frequent, however often. */
const FREQUENT = 2000;
/** Words that are tried for the one to look up. */
const MOST_WORDS = 5;
const RANKS: readonly Rank[] = ['name', 'word', 'inside'];

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
    const groups = byName ? [true, false] : [true];
    const words = wordsIn(wanted);
    const text = words.length > 1 ? await this.rarest(host, words, groups) : words[0];
    for (const look of text === undefined ? [] : looksFor(fold(wanted.nick ?? ''), text, minimum)) {
      for (const said of groups) {
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

  /** The word by which the fewest are found, or a long one. */
  private async rarest(host: string, words: readonly string[], groups: readonly boolean[]): Promise<string> {
    let [best, fewest] = ['', Infinity];
    for (const word of words.toSorted((a, b) => lengthOf(b) - lengthOf(a)).slice(0, MOST_WORDS)) {
      let count = 0;
      for (const rank of RANKS) {
        for (const said of groups)
          if (count < FREQUENT)
            count += await this.parts.store.frequency(host, { rank, said, text: beginning(word) }, FREQUENT - count);
      }
      if (count < fewest) [best, fewest] = [word, count];
    }
    return best;
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

const beginning = (text: string): string => shortened([...text]);

/** The words of what is wanted, one of which is looked up in the index. */
function wordsIn({ nick, first, last }: Wanted): string[] {
  const words = wordsOf(fold(nick ?? ''));
  return words.length > 0 ? words : [first, last].flatMap(name => wordsOf(fold(name ?? '')));
}

/** Where to look, one after the other. `phrase`: the nickname as a whole; `text`: the word that is looked up. */
function looksFor(phrase: string, text: string, minimum: number): Look[] {
  const whole = (rank: Rank, of: string): Look => ({ rank, text: beginning(of), whole: true });
  const begun = (rank: Rank, of: string): Look => ({ rank, text: beginning(of), whole: false });
  const named = phrase === '' ? [] : [whole('name', phrase)];
  if (lengthOf(phrase || text) < minimum) return phrase === '' ? [whole('name', text), whole('word', text)] : named;
  const longer = phrase === '' || phrase === text ? [] : [begun('name', phrase)];
  return [...named, ...longer, ...RANKS.map(rank => begun(rank, text))];
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
  return words.every(word => all.some(name => name.includes(word)));
}
