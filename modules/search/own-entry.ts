/* What an account itself sees and says of its being found (docs/protocol.md): by requests of our own, or by a command (XEP-0050). */
import { type Command, type Mod } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { defineForm, field, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { readNumber, WHAT_DIGITS_ARE } from './number.ts';
import type { options, SearchOptions } from './options.ts';
import type { Change, DirectoryStore } from './store.ts';

export const DIRECTORY = 'urn:posthouse:directory:0';
const NODE = `${DIRECTORY}#entry`;
const WAYS = { 'by-number': 'byNumber', 'by-name': 'byName' } as const;
const CHOICES: Readonly<Record<string, boolean | 'default'>> = {
  true: true,
  '1': true,
  false: false,
  '0': false,
  default: 'default',
};

export interface EntryParts {
  readonly mod: Pick<Mod<typeof options>, 'node' | 'options'>;
  readonly store: Pick<DirectoryStore, 'change' | 'get'>;
  /** The domain of the directory. */
  domainOf(host: string): string | undefined;
}

/** How it is. */
export async function entryOf({ mod, store, domainOf }: EntryParts, account: Jid) {
  const options = mod.options(account.domain);
  const person = await store.get(account);
  return {
    byNumber: person?.byNumber ?? options.byNumber,
    byName: person?.byName ?? options.byName,
    /** In which ways it has said nothing. */
    unsaid: (['by-number', 'by-name'] as const).filter(way => person?.[WAYS[way]] === undefined),
    number: options.number === 'account' ? account.local : person?.number,
    service: domainOf(account.domain),
  };
}

export async function entryElement(parts: EntryParts, account: Jid): Promise<Element> {
  const { byNumber, byName, unsaid, number, service } = await entryOf(parts, account);
  return xml(
    'entry',
    {
      xmlns: DIRECTORY,
      service,
      'by-number': String(byNumber),
      'by-name': String(byName),
      default: unsaid.length > 0 ? unsaid.join(' ') : undefined,
    },
    number !== undefined && xml('number', {}, number),
  );
}

/** What an <entry/> changes. */
export function readEntry(entry: Element, kind: SearchOptions['number']): Change | StanzaError {
  const change: { byNumber?: boolean | 'default'; byName?: boolean | 'default'; number?: string } = {};
  for (const way of ['by-number', 'by-name'] as const) {
    const said = entry.attrs[way] as string | undefined;
    if (said === undefined) continue;
    const choice = Object.hasOwn(CHOICES, said) ? CHOICES[said] : undefined;
    if (choice === undefined) return refuse('bad-request', `'${way}' is 'true', 'false' or 'default'.`);
    change[WAYS[way]] = choice;
  }
  const number = entry.getChild('number')?.getText().trim();
  if (number === undefined) return change;
  const read = ownNumber(number, kind);
  return read instanceof StanzaError ? read : { ...change, number: read };
}

/** A number that an account gives itself; '' takes it away. */
function ownNumber(text: string, kind: SearchOptions['number']): string | StanzaError {
  if (kind !== 'chosen') {
    const why =
      kind === 'account' ? 'Your number is the name of your account.' : 'Numbers are given by administrators.';
    return refuse('not-allowed', why);
  }
  if (text === '') return '';
  return readNumber(text, kind) ?? refuse('not-acceptable', WHAT_DIGITS_ARE);
}

export async function changeEntry(
  { store }: EntryParts,
  account: Jid,
  change: Change,
): Promise<StanzaError | undefined> {
  const done = await store.change(account.domain, [[account.toBare(), change]]);
  return done === 'taken' ? refuse('conflict', 'This number is taken.') : undefined;
}

const YES_OR_NO = { default: 'As the server has it', '1': 'Yes', '0': 'No' } as const;
const form = defineForm(NODE, {
  byNumber: field.choice('by-number', YES_OR_NO, { label: 'Found by number' }),
  byName: field.choice('by-name', YES_OR_NO, { label: 'Found by nickname and name' }),
  number: field.text('number', { label: 'Number', most: 40 }),
});

/** The same for clients that know commands, but not our requests. */
export function entryCommand(parts: EntryParts): Command {
  return {
    node: NODE,
    name: 'Who may find me',
    access: 'user',
    run: async ({ from, host, values }) => {
      const account = from.toBare();
      if (account.domain !== host || account.local === '') return refuse('forbidden', `For accounts of ${host}.`);
      const kind = parts.mod.options(host).number;
      const entry = await entryOf(parts, account);
      const said = (way: 'by-number' | 'by-name', yes: boolean) =>
        entry.unsaid.includes(way) ? 'default' : yes ? '1' : '0';
      const own = kind === 'chosen';
      if (!values) {
        const now = {
          byNumber: said('by-number', entry.byNumber),
          byName: said('by-name', entry.byName),
          number: entry.number ?? '',
        } as const;
        const only = own ? undefined : (['byNumber', 'byName'] as const);
        const instructions = `Your number is ${entry.number ?? 'none'}.`;
        return { form: form.form(now, { title: 'Who may find me', instructions, ...(only && { only }) }) };
      }
      const change = readValues(values, kind);
      if (change instanceof StanzaError) return change;
      const refused = await changeEntry(parts, account, change);
      return refused ?? { done: true, note: { type: 'info', text: 'It is so from now on.' } };
    },
  };
}

function readValues(
  values: ReadonlyMap<string, readonly string[]>,
  kind: SearchOptions['number'],
): Change | StanzaError {
  const attrs: Record<string, string> = {};
  for (const way of ['by-number', 'by-name']) {
    const said = values.get(way)?.[0];
    if (said !== undefined) attrs[way] = said;
  }
  const number = values.get('number')?.[0];
  const entry = xml('entry', attrs, number !== undefined && kind === 'chosen' && xml('number', {}, number));
  return readEntry(entry, kind);
}
