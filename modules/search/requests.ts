/* What is asked of the directory, and how it answers: XEP-0055, by its fields or by a form, in pages (XEP-0059). */
import {
  defineForm,
  field,
  fieldElement,
  formTypeField,
  NO_PAGING,
  NS,
  pageElement,
  type Paging,
  readPaging,
  refuse,
  StanzaError,
} from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import type { Wanted } from './finding.ts';
import { fold } from './fold.ts';
import { readNumber, WHAT_DIGITS_ARE } from './number.ts';
import type { SearchOptions } from './options.ts';
import type { Person } from './store.ts';

export const SEARCH = 'jabber:iq:search';
/** The fields of its schema that are served, in its order: it may get no others (4). */
const FIELDS = ['first', 'last', 'nick'] as const;
const MOST = 200;
const INSTRUCTIONS = 'Fill in what you know of the person: all of it must fit. A part of a nickname or name is enough.';

const form = defineForm(SEARCH, {
  // XEP-0068 3.3: no field of the registry
  number: field.text('x-number', { label: 'Number', desc: 'The whole number finds the one who has it.', most: MOST }),
  nick: field.text('nick', { label: 'Nickname', most: MOST }),
  first: field.text('first', { label: 'Given Name', most: MOST }),
  last: field.text('last', { label: 'Family Name', most: MOST }),
});

/** XEP-0055 2.1, 3: what can be searched, for clients without forms and for those with them. */
export function fieldsAnswer(): Element {
  return xml(
    'query',
    { xmlns: SEARCH },
    xml('instructions', {}, INSTRUCTIONS),
    ...FIELDS.map(name => xml(name)),
    form.form({}, { title: 'People', instructions: INSTRUCTIONS }),
  );
}

export interface SearchRequest {
  readonly wanted: Wanted;
  readonly paging: Paging;
  /** Whether pages were spoken of. */
  readonly paged: boolean;
  /** Whether a form was filled in; so is the answer. */
  readonly byForm: boolean;
}

export function readRequest(query: Element, kind: SearchOptions['number']): SearchRequest | StanzaError {
  const paging = readPaging(query);
  if (paging instanceof StanzaError) return paging;
  const x = query.getChild('x', NS.dataForms);
  const typed = x ? form.read(x) : plainFields(query);
  if (typed instanceof StanzaError) return typed;
  const asked = (['nick', 'first', 'last'] as const).filter(name => fold(typed[name] ?? '') !== '');
  const number = typed.number === undefined || typed.number.trim() === '' ? undefined : readNumber(typed.number, kind);
  if (typed.number !== undefined && typed.number.trim() !== '' && number === undefined)
    return refuse('not-acceptable', kind === 'account' ? 'This is no name of an account.' : WHAT_DIGITS_ARE);
  if (asked.length === 0 && number === undefined)
    return refuse('not-acceptable', 'Whom do you search? A letter or a digit at least is needed.');
  const wanted = { number, ...Object.fromEntries(asked.map(name => [name, typed[name]])) };
  return { wanted, paging: paging ?? NO_PAGING, paged: paging !== undefined, byForm: x !== undefined };
}

function plainFields(query: Element): Wanted | StanzaError {
  const typed: Partial<Record<(typeof FIELDS)[number], string>> = {};
  for (const name of FIELDS) {
    const text = query.getChildText(name);
    if (text === null || text === undefined) continue;
    if (text.length > MOST) return refuse('not-acceptable', `The field '${name}' has at most ${MOST} characters.`);
    typed[name] = text;
  }
  return typed;
}

/** Part of what was found. */
export interface Page {
  readonly people: readonly Person[];
  /** Of the first of them in all that was found. */
  readonly index: number;
  readonly count: number;
}

/** The page that is asked for, of at most `most` people. XEP-0059 2.5: who it begins or ends with must still be there. */
export function pageOf(found: readonly Person[], { after, before, max }: Paging, most: number): Page | StanzaError {
  const size = Math.min(max ?? most, most);
  const placeOf = (account: string): number => found.findIndex(person => person.account === account);
  let [from, to] = [0, found.length];
  if (after !== undefined) {
    if ((from = placeOf(after) + 1) === 0) return GONE;
  }
  if (before !== undefined && before !== '') {
    if ((to = placeOf(before)) < 0) return GONE;
  }
  if (before === undefined) to = Math.min(to, from + size);
  else from = Math.max(from, to - size);
  return { people: found.slice(from, Math.max(from, to)), index: from, count: found.length };
}

const GONE = refuse('item-not-found', 'There is no such place any more: begin again.');

export function resultAnswer({ byForm, paged }: SearchRequest, page: Page): Element {
  const { people, index, count } = page;
  // 2.1: nobody is an empty <query/>, also by XEP-0059 2.2
  if (count === 0) return xml('query', { xmlns: SEARCH });
  const items = byForm ? [formOf(people)] : people.map(itemOf);
  const [first, last] = [people[0]?.account, people.at(-1)?.account];
  // who said nothing of pages learns of them where there is more
  const set = (paged || people.length < count) && pageElement({ first, last, index, count });
  return xml('query', { xmlns: SEARCH }, ...(people.length === 0 ? [] : items), set);
}

function itemOf(person: Person): Element {
  return xml('item', { jid: person.account }, ...FIELDS.map(name => xml(name, {}, person[name])));
}

const COLUMNS = [
  { name: 'jid', type: 'jid-single', label: 'Address' },
  { name: 'nick', type: 'text-single', label: 'Nickname' },
  { name: 'first', type: 'text-single', label: 'Given Name' },
  { name: 'last', type: 'text-single', label: 'Family Name' },
] as const;

/** XEP-0004 3.4. */
function formOf(people: readonly Person[]): Element {
  const cells = (person: Person): Element[] =>
    COLUMNS.map(({ name }) =>
      xml('field', { var: name }, xml('value', {}, name === 'jid' ? person.account : person[name])),
    );
  return xml(
    'x',
    { xmlns: NS.dataForms, type: 'result' },
    formTypeField(SEARCH),
    xml('reported', {}, ...COLUMNS.map(column => fieldElement(column))),
    ...people.map(person => xml('item', {}, ...cells(person))),
  );
}
