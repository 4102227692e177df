/*
 * Options as data: what a value may be, its default, its unit, one sentence, and whether a change of it takes effect at once.
 * The same declaration gives the static type, the check with its messages, and the generated documentation.
 */

/** When a change of the configuration file takes effect: at a reload, for new sessions after it, or at the next start. */
export type Reload = 'live' | 'new-sessions' | 'restart';

interface Common<T> {
  readonly doc: string;
  readonly reload?: Reload;
  readonly default?: T;
  /** Whether the option must be given where the options around it are. */
  readonly required?: boolean;
}

export interface OptionBase<T> {
  readonly kind: string;
  readonly doc: string;
  readonly reload: Reload;
  readonly default: T;
  readonly required?: boolean;
  /** Never set: it carries the type of the value. */
  readonly type?: T;
}

export interface NumberOption extends OptionBase<number> {
  readonly kind: 'integer' | 'number' | 'duration' | 'size';
  readonly minimum: number;
  readonly maximum: number;
  readonly unit: string | undefined;
}
export interface StringOption extends OptionBase<string> {
  readonly kind: 'string' | 'jid';
  readonly pattern: string | undefined;
}
export interface BooleanOption extends OptionBase<boolean> {
  readonly kind: 'boolean';
}
export interface ChoiceOption<T extends string = string> extends OptionBase<T> {
  readonly kind: 'choice';
  readonly choices: readonly T[];
}
/** A value that is never printed: given as text, `{env: NAME}` or `{file: PATH}`. '' when it is not set. */
export interface SecretOption extends OptionBase<string> {
  readonly kind: 'secret';
}
export interface ListOption<I extends Option = Option> extends OptionBase<readonly TypeOf<I>[]> {
  readonly kind: 'list';
  readonly item: I;
}
export interface MapOption<I extends Option = Option> extends OptionBase<Readonly<Record<string, TypeOf<I>>>> {
  readonly kind: 'map';
  readonly item: I;
  /** What the keys are, for messages. 'a domain': they are checked and prepared as domains. */
  readonly keys: string;
}
export interface ObjectOption<S extends OptionsSchema = OptionsSchema> extends OptionBase<OptionsOf<S>> {
  readonly kind: 'object';
  readonly properties: S;
}

export type Option =
  NumberOption | StringOption | BooleanOption | ChoiceOption | SecretOption | AnyList | AnyMap | AnyObject;
interface AnyList extends OptionBase<unknown> {
  readonly kind: 'list';
  readonly item: Option;
}
interface AnyMap extends OptionBase<unknown> {
  readonly kind: 'map';
  readonly item: Option;
  readonly keys: string;
}
interface AnyObject extends OptionBase<unknown> {
  readonly kind: 'object';
  readonly properties: OptionsSchema;
}

export type OptionsSchema = { readonly [name: string]: Option };
export type TypeOf<O> = O extends { readonly type?: infer T } ? Exclude<T, undefined> : never;
export type OptionsOf<S extends OptionsSchema> = { readonly [K in keyof S]: TypeOf<S[K]> };

interface NumberRules extends Common<number> {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly unit?: string;
}

function number(kind: NumberOption['kind'], unit: string | undefined) {
  return (rules: NumberRules): NumberOption => ({
    kind,
    doc: rules.doc,
    reload: rules.reload ?? 'restart',
    default: rules.default ?? rules.minimum ?? 0,
    minimum: rules.minimum ?? 0,
    maximum: rules.maximum ?? Number.MAX_SAFE_INTEGER,
    unit: rules.unit ?? unit,
  });
}

/** The kinds of options. Durations are seconds ('5 min' in the file), sizes bytes ('64 KiB'). */
export const option = {
  integer: number('integer', undefined),
  number: number('number', undefined),
  duration: number('duration', 'seconds'),
  size: number('size', 'bytes'),
  boolean: (rules: Common<boolean>): BooleanOption => ({
    kind: 'boolean',
    doc: rules.doc,
    reload: rules.reload ?? 'restart',
    default: rules.default ?? false,
  }),
  string: (rules: Common<string> & { pattern?: string }): StringOption => ({
    kind: 'string',
    doc: rules.doc,
    reload: rules.reload ?? 'restart',
    default: rules.default ?? '',
    pattern: rules.pattern,
    required: rules.required,
  }),
  /** An address (RFC 7622). */
  jid: (rules: Common<string>): StringOption => ({
    kind: 'jid',
    doc: rules.doc,
    reload: rules.reload ?? 'restart',
    default: rules.default ?? '',
    pattern: undefined,
  }),
  choice: <const T extends string>(choices: readonly T[], rules: Common<NoInfer<T>>): ChoiceOption<T> => ({
    kind: 'choice',
    choices,
    doc: rules.doc,
    reload: rules.reload ?? 'restart',
    default: rules.default ?? choices[0]!,
  }),
  secret: (rules: Omit<Common<string>, 'default'>): SecretOption => ({
    kind: 'secret',
    doc: rules.doc,
    reload: rules.reload ?? 'restart',
    default: '',
    required: rules.required,
  }),
  list: <I extends Option>(item: I, rules: Common<readonly TypeOf<I>[]>): ListOption<I> => ({
    kind: 'list',
    item,
    doc: rules.doc,
    reload: rules.reload ?? 'restart',
    default: rules.default ?? [],
  }),
  map: <I extends Option>(
    item: I,
    rules: Common<Readonly<Record<string, TypeOf<I>>>> & { keys?: string },
  ): MapOption<I> => ({
    kind: 'map',
    item,
    doc: rules.doc,
    reload: rules.reload ?? 'restart',
    default: rules.default ?? {},
    keys: rules.keys ?? 'a name',
  }),
  object: <const S extends OptionsSchema>(properties: S, rules: { doc?: string } = {}): ObjectOption<S> => ({
    kind: 'object',
    properties,
    doc: rules.doc ?? '',
    reload: 'live',
    default: defaultsOf(properties),
  }),
};

/** Declares the options of a module, by name. */
export function defineOptions<const S extends OptionsSchema>(options: S): S {
  return options;
}

/** The values that hold when nothing is configured. */
export function defaultsOf<S extends OptionsSchema>(schema: S): OptionsOf<S> {
  return Object.fromEntries(Object.entries(schema).map(([name, { default: value }]) => [name, value])) as OptionsOf<S>;
}
