import type { Portable } from '../../src/api/index.ts';
import { StanzaError } from '../../src/protocol/index.ts';
import { serialize, xml } from '../../src/xml/index.ts';
import { readNumber } from './number.ts';
import { DIRECTORY, type EntryParts, readEntry } from './own-entry.ts';
import type { Change, Person } from './store.ts';

/** What an account has said of being found; no part of XEP-0227, so it is written as the account's clients say it. */
export function portableEntry({ mod, store }: Pick<EntryParts, 'mod' | 'store'>): Portable {
  return {
    name: 'directory entry',
    entry: { name: 'entry', xmlns: DIRECTORY },
    export: async account => {
      const person = await store.get(account);
      return { entries: person && saysSomething(person) ? [serialize(entryOf(person), '')] : [] };
    },
    import: async (account, entry) => {
      const change = readEntry(entry, 'chosen');
      if (change instanceof StanzaError) return { refused: 'this is no entry of a directory' };
      const kind = mod.options(account.domain).number;
      const number = change.number === undefined || kind === 'account' ? undefined : readNumber(change.number, kind);
      const { number: _, ...choices } = change;
      const wanted: Change = { ...choices, ...(number !== undefined && { number }) };
      if (isSo(await store.get(account), wanted)) return 'known';
      const done = await store.change(account.domain, [[account.toBare(), wanted]]);
      return done === 'taken' ? { refused: `another account has the number ${String(number)}` } : 'imported';
    },
  };
}

function saysSomething({ byNumber, byName, number }: Person): boolean {
  return byNumber !== undefined || byName !== undefined || number !== undefined;
}

function entryOf({ byNumber, byName, number }: Person) {
  const said = (choice: boolean | undefined) => (choice === undefined ? undefined : String(choice));
  return xml(
    'entry',
    { xmlns: DIRECTORY, 'by-number': said(byNumber), 'by-name': said(byName) },
    number !== undefined && xml('number', {}, number),
  );
}

function isSo(person: Person | undefined, { byNumber, byName, number }: Change): boolean {
  const same = (wanted: boolean | 'default' | undefined, now: boolean | undefined) =>
    wanted === undefined || (wanted === 'default' ? undefined : wanted) === now;
  return (
    same(byNumber, person?.byNumber) &&
    same(byName, person?.byName) &&
    (number === undefined || number === (person?.number ?? ''))
  );
}
