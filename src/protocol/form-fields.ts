import { type Jid, parseJid } from '../jid/index.ts';
import { type Element, xml } from '../xml/index.ts';

const VALIDATE = 'http://jabber.org/protocol/xdata-validate'; // XEP-0122

/** XEP-0004 3.3. */
export type FieldType =
  | 'boolean'
  | 'hidden'
  | 'jid-multi'
  | 'jid-single'
  | 'list-multi'
  | 'list-single'
  | 'text-multi'
  | 'text-private'
  | 'text-single';

export interface FieldOption {
  readonly value: string;
  readonly label?: string;
}

/** Why a value is none: goes on behind "The field 'x'". */
export class WrongValue {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** A field of a form, which holds a `T`. */
export interface Field<T> {
  /** The field's 'var'. */
  readonly name: string;
  readonly type: FieldType;
  readonly label?: string;
  readonly desc?: string;
  readonly required?: boolean;
  readonly options?: readonly FieldOption[];
  /** What a client can check (XEP-0122). */
  validate?(): Element;
  write(value: T): readonly string[];
  /** Undefined where nothing is said: what holds stays. */
  read(values: readonly string[]): T | undefined | WrongValue;
}

interface Rules {
  readonly label?: string;
  readonly desc?: string;
  readonly required?: boolean;
}

interface TextRules extends Rules {
  /** Most characters; 1000 when left out. */
  readonly most?: number;
}

export const needed = new WrongValue('is needed');

const one = (values: readonly string[]): string | undefined | WrongValue =>
  values.length > 1 ? new WrongValue('has one value') : values[0];

/** Whether a text has more characters than allowed; a long one is not counted. */
const isLonger = (text: string, most: number): boolean =>
  text.length > most && (text.length > 2 * most || [...text].length > most);

function textOf(type: 'hidden' | 'text-private' | 'text-single') {
  return (name: string, { most = 1000, ...rules }: TextRules = {}): Field<string> => ({
    ...rules,
    name,
    type,
    write: text => [text],
    read: values => {
      const text = one(values) ?? '';
      if (typeof text !== 'string') return text;
      if (text === '' && rules.required) return needed;
      return isLonger(text, most) ? new WrongValue(`has at most ${most} characters`) : text;
    },
  });
}

/** XEP-0004 3.3: 'true' and '1', 'false' and '0'. */
function boolean(name: string, rules: Rules = {}): Field<boolean> {
  return {
    ...rules,
    name,
    type: 'boolean',
    write: yes => [yes ? '1' : '0'],
    read: values => {
      const text = one(values);
      if (typeof text !== 'string') return text;
      switch (text.trim()) {
        case '1':
        case 'true':
          return true;
        case '0':
        case 'false':
          return false;
      }
      return new WrongValue("is '1' or '0'");
    },
  };
}

/** A text of several lines. */
function lines(name: string, { most = 1000, ...rules }: TextRules = {}): Field<string> {
  return {
    ...rules,
    name,
    type: 'text-multi',
    write: text => text.split('\n'),
    read: values => {
      const text = values.join('\n');
      if (text === '' && rules.required) return needed;
      return isLonger(text, most) ? new WrongValue(`has at most ${most} characters`) : text;
    },
  };
}

interface IntegerRules extends Rules {
  readonly minimum: number;
  readonly maximum: number;
  /** Words that stand for a number: `{ none: 0 }`. The numbers need not be between the bounds. */
  readonly words?: Readonly<Record<string, number>>;
  /** Shown to choose from (a list), while others may be given. */
  readonly suggested?: readonly number[];
}

/** A whole number. */
function integer(name: string, { minimum, maximum, words = {}, suggested, ...rules }: IntegerRules): Field<number> {
  const write = (value: number): string => Object.keys(words).find(word => words[word] === value) ?? String(value);
  const allowed = `is a number from ${minimum} to ${maximum}`;
  const wrong = new WrongValue([allowed, ...Object.keys(words).map(word => `'${word}'`)].join(' or '));
  const options = suggested && [...suggested.map(String), ...Object.keys(words)].map(value => ({ value }));
  return {
    ...rules,
    name,
    type: suggested ? 'list-single' : 'text-single',
    ...(options && { options }),
    validate: () =>
      xml(
        'validate',
        { xmlns: VALIDATE, datatype: Object.keys(words).length > 0 ? 'xs:string' : 'xs:integer' },
        suggested || Object.keys(words).length > 0 ? xml('open') : xml('range', { min: minimum, max: maximum }),
      ),
    write: value => [write(value)],
    read: values => {
      const text = one(values);
      if (typeof text !== 'string') return text;
      const trimmed = text.trim();
      if (trimmed === '') return undefined;
      if (Object.hasOwn(words, trimmed)) return words[trimmed];
      const value = /^[+-]?\d{1,15}$/.test(trimmed) ? Number(trimmed) : NaN;
      return value >= minimum && value <= maximum ? value : wrong;
    },
  };
}

/** The options by value, with their labels. */
type Labels<T extends string> = Readonly<Record<T, string>>;

function labelled(labels: Labels<string>): FieldOption[] {
  return Object.entries(labels).map(([value, label]) => ({ value, label }));
}

const oneOf = (labels: Labels<string>): string =>
  Object.keys(labels)
    .map(value => `'${value}'`)
    .join(', ');

/** One of a few. */
function choice<const T extends string>(name: string, labels: Labels<T>, rules: Rules = {}): Field<T> {
  return {
    ...rules,
    name,
    type: 'list-single',
    options: labelled(labels),
    write: value => [value],
    read: values => {
      const text = one(values);
      if (typeof text !== 'string') return text;
      return Object.hasOwn(labels, text) ? (text as T) : new WrongValue(`is one of ${oneOf(labels)}`);
    },
  };
}

/** Some of a few, in the order of the declaration. */
function choices<const T extends string>(name: string, labels: Labels<T>, rules: Rules = {}): Field<readonly T[]> {
  return {
    ...rules,
    name,
    type: 'list-multi',
    options: labelled(labels),
    write: value => value,
    read: values => {
      if (values.some(value => !Object.hasOwn(labels, value)))
        return new WrongValue(`has values of these: ${oneOf(labels)}`);
      return (Object.keys(labels) as T[]).filter(value => values.includes(value));
    },
  };
}

/** Some texts, which are the client's own; each once. */
function texts(
  name: string,
  { most, longest = 1000, ...rules }: ManyRules & { longest?: number },
): Field<readonly string[]> {
  return {
    ...rules,
    name,
    type: 'text-multi',
    write: value => value,
    read: values => {
      const all = [...new Set(values.filter(value => value !== ''))];
      if (all.length > most) return new WrongValue(`has at most ${most} values`);
      if (all.some(value => isLonger(value, longest)))
        return new WrongValue(`has values of at most ${longest} characters`);
      return all;
    },
  };
}

interface JidRules extends Rules {
  /** Whether a resource is taken away. */
  readonly bare?: boolean;
}

interface ManyRules extends Rules {
  /** Most values. */
  readonly most: number;
}

const notAnAddress = (text: string): WrongValue =>
  new WrongValue(`has an address (RFC 7622), which '${text.slice(0, 100)}' is not`);

/** An address, or '' as undefined: nothing is said then. */
function jid(name: string, { bare = false, ...rules }: JidRules = {}): Field<Jid> {
  return {
    ...rules,
    name,
    type: 'jid-single',
    write: address => [address.full],
    read: values => {
      const text = one(values);
      if (typeof text !== 'string') return text;
      if (text.trim() === '') return undefined;
      const address = parseJid(text.trim());
      if (!address) return notAnAddress(text);
      return bare ? address.toBare() : address;
    },
  };
}

/** Addresses, each once (XEP-0004 3.3). */
function jids(name: string, { bare = false, most, ...rules }: JidRules & ManyRules): Field<readonly Jid[]> {
  return {
    ...rules,
    name,
    type: 'jid-multi',
    write: addresses => addresses.map(address => address.full),
    read: values => {
      const addresses = new Map<string, Jid>();
      for (const text of values) {
        if (text.trim() === '') continue;
        const parsed = parseJid(text.trim());
        if (!parsed) return notAnAddress(text);
        const address = bare ? parsed.toBare() : parsed;
        addresses.set(address.full, address);
      }
      if (addresses.size > most) return new WrongValue(`has at most ${most} addresses`);
      return [...addresses.values()];
    },
  };
}

/** The kinds of fields. The first argument is the field's 'var'. */
export const field = {
  text: textOf('text-single'),
  /** A text that a client does not show while it is typed. */
  secret: textOf('text-private'),
  hidden: textOf('hidden'),
  lines,
  boolean,
  integer,
  choice,
  choices,
  texts,
  jid,
  jids,
};
