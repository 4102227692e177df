import { readFileSync } from 'node:fs';
import nodePath from 'node:path';
import { isAlias, isMap, isScalar, isSeq, type Node as YamlNode, type Pair, type YAMLMap } from 'yaml';
import { defaultsOf, type Option, type OptionsSchema } from '../../api/options.ts';
import { jidProblem, parseJid, prepareDomain } from '../../jid/index.ts';
import { suggestion } from './problems.ts';

/** What checking needs to know and to tell. */
export interface CheckContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths of secrets are relative to. */
  readonly folder: string;
  problem(node: YamlNode | null | undefined, path: string, message: string): void;
}

const UNITS: Record<'duration' | 'size', Record<string, number>> = {
  duration: {
    ms: 0.001,
    s: 1,
    sec: 1,
    seconds: 1,
    second: 1,
    min: 60,
    minutes: 60,
    minute: 60,
    m: 60,
    h: 3600,
    hours: 3600,
    hour: 3600,
    d: 86_400,
    days: 86_400,
    day: 86_400,
  },
  size: {
    b: 1,
    kb: 1000,
    kib: 1024,
    k: 1024,
    mb: 1e6,
    mib: 1024 ** 2,
    m: 1024 ** 2,
    gb: 1e9,
    gib: 1024 ** 3,
    g: 1024 ** 3,
  },
};

/** Checks one value; tells what is wrong and gives the default then. */
export function checkValue(
  option: Option,
  node: YamlNode | null | undefined,
  path: string,
  context: CheckContext,
): unknown {
  const wrong = (expected: string): unknown => {
    context.problem(node, path, `${show(node)} is not allowed: ${expected}.`);
    return option.default;
  };
  switch (option.kind) {
    case 'boolean':
      return isScalar(node) && typeof node.value === 'boolean' ? node.value : wrong('true or false');
    case 'integer':
    case 'number':
    case 'duration':
    case 'size': {
      const value = isScalar(node) ? quantity(option.kind, node.value) : undefined;
      const { minimum, maximum, unit } = option;
      const range = maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `from ${minimum} to ${maximum}`;
      const example =
        option.kind === 'duration'
          ? ", a number of seconds or a text like '5 min'"
          : option.kind === 'size'
            ? ", a number of bytes or a text like '64 KiB'"
            : '';
      const kind = option.kind === 'integer' ? 'a whole number' : 'a number';
      const expected = `${kind} ${range}${unit ? ` (${unit})` : ''}${example}`;
      if (value === undefined || !Number.isFinite(value) || value < minimum || value > maximum) return wrong(expected);
      return option.kind !== 'number' && option.kind !== 'duration' && !Number.isInteger(value)
        ? wrong(expected)
        : value;
    }
    case 'string': {
      const value = isScalar(node) ? node.value : undefined;
      if (typeof value !== 'string') return wrong('a text (in quotes, if it looks like something else)');
      if (option.required && value === '') return wrong('a text that is not empty');
      if (option.pattern && !new RegExp(option.pattern, 'u').test(value))
        return wrong(`a text of the form ${option.pattern}`);
      return value;
    }
    case 'jid': {
      const value = isScalar(node) ? node.value : undefined;
      if (typeof value !== 'string') return wrong('an address such as admin@example.org');
      const jid = parseJid(value);
      return jid ? jid.full : wrong(`an address such as admin@example.org (${jidProblem(value) ?? 'RFC 7622'})`);
    }
    case 'choice': {
      const value = isScalar(node) ? String(node.value) : '';
      if (option.choices.includes(value)) return value;
      context.problem(
        node,
        path,
        `${show(node)} is not allowed: one of ${option.choices.join(', ')}.${suggestionFor(value, option.choices)}`,
      );
      return option.default;
    }
    case 'secret': {
      const value = secret(node, path, context);
      if (option.required && value === '' && isScalar(node)) return wrong('a secret is not empty');
      return value;
    }
    case 'list': {
      if (!isSeq(node)) return wrong('a list');
      return node.items.map((item, index) => checkValue(option.item, item as YamlNode, `${path}[${index}]`, context));
    }
    case 'map': {
      if (!isMap(node)) return wrong(`a map from ${option.keys} to its options`);
      const out: Record<string, unknown> = {};
      for (const pair of node.items) {
        const given = keyOf(pair);
        const name = option.keys === 'a domain' ? prepareDomain(given) : given;
        const at = `${path}.${given}`;
        if (name === undefined) context.problem(pair.key as YamlNode, at, `'${given}' is no domain.`);
        else if (Object.hasOwn(out, name)) context.problem(pair.key as YamlNode, at, `'${name}' stands here twice.`);
        else out[name] = checkValue(option.item, pair.value as YamlNode, at, context);
      }
      return out;
    }
    case 'object':
      return isMap(node) ? checkObject(option.properties, node, path, context) : wrong('a map of options');
  }
}

/**
 * Checks a map against a schema: unknown names are told with the nearest known one, which may be one of `others`. What the map does not
 * name has the value of `base`, or its default.
 */
export function checkObject(
  schema: OptionsSchema,
  map: YAMLMap,
  path: string,
  context: CheckContext,
  others: readonly string[] = [],
  base?: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const out: Record<string, unknown> = { ...(base ?? defaultsOf(schema)) };
  const known = [...Object.keys(schema), ...others];
  for (const pair of map.items) {
    const name = keyOf(pair);
    const option = Object.hasOwn(schema, name) ? schema[name] : undefined;
    const at = path === '' ? name : `${path}.${name}`;
    if (!option) {
      context.problem(pair.key as YamlNode, at, `there is no option of that name.${suggestion(name, known)}`);
      continue;
    }
    // 'name:' with nothing behind it is as if it was not there
    if (isEmpty(pair.value)) continue;
    out[name] =
      base && option.kind === 'object' && isMap(pair.value)
        ? checkObject(option.properties, pair.value, at, context, [], base[name] as Record<string, unknown>)
        : checkValue(option, pair.value as YamlNode, at, context);
  }
  const given = new Set(map.items.filter(pair => !isEmpty(pair.value)).map(keyOf));
  if (!base) checkRequired(schema, given, map, path, context);
  return out;
}

/** Tells which options are not there but must be. */
export function checkRequired(
  schema: OptionsSchema,
  given: ReadonlySet<string>,
  node: YamlNode | null | undefined,
  path: string,
  context: CheckContext,
): void {
  for (const [name, { required, doc }] of Object.entries(schema)) {
    if (required && !given.has(name)) context.problem(node, path, `'${name}' is missing: ${doc}`);
  }
}

export function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

export function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (isScalar(value) && value.value === null);
}

function quantity(kind: 'integer' | 'number' | 'duration' | 'size', value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || kind === 'integer' || kind === 'number') return undefined;
  const match = /^([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)$/.exec(value.trim());
  if (!match) return undefined;
  const factor = match[2] === '' ? 1 : UNITS[kind][match[2]!.toLowerCase()];
  return factor === undefined ? undefined : Number(match[1]) * factor;
}

function suggestionFor(value: string, choices: readonly string[]): string {
  const text = suggestion(value, choices);
  return text.startsWith(' Did') ? text : '';
}

/** A secret may stand in the file, in the environment, or in a file of its own. */
function secret(node: YamlNode | null | undefined, path: string, context: CheckContext): string {
  if (isScalar(node) && typeof node.value === 'string') return node.value;
  if (isMap(node) && node.items.length === 1) {
    const [pair] = node.items;
    const name = keyOf(pair!);
    const where = isScalar(pair!.value) ? String(pair!.value.value) : '';
    if (name === 'env') {
      const value = context.env[where];
      if (value !== undefined && value !== '') return value;
      context.problem(node, path, `the environment has no variable ${where}, or it is empty.`);
      return '';
    }
    if (name === 'file') {
      try {
        const text = readFileSync(nodePath.resolve(context.folder, where), 'utf8').replace(/\r?\n$/, '');
        if (text === '') context.problem(node, path, `the file ${where} is empty.`);
        return text;
      } catch (error) {
        context.problem(node, path, `the secret cannot be read: ${(error as Error).message}.`);
        return '';
      }
    }
  }
  context.problem(node, path, 'a secret is a text in quotes, {env: NAME} or {file: PATH}.');
  return '';
}

/** A value as it stands in the file, short. */
function show(node: YamlNode | null | undefined): string {
  if (isScalar(node)) {
    const text = node.source ?? String(node.value);
    return `'${text.length > 60 ? `${text.slice(0, 57)}...` : text}'`;
  }
  if (isSeq(node)) return 'a list';
  if (isMap(node)) return 'a map';
  if (isAlias(node)) return 'an alias';
  return 'nothing';
}
