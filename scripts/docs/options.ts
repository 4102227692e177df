import type { Option, OptionsSchema } from '../../src/api/options.ts';
import { core, DEFAULT_LISTENERS, DEFAULT_MODULES, host, listener } from '../../src/node/config/schema.ts';
import type { House } from './load.ts';
import { cell, code, page, table } from './markdown.ts';

/** docs/generated/options.md: every option of the configuration. */
export function optionsPage({ modules }: House): string {
  const defaults: readonly string[] = DEFAULT_MODULES;
  return page(
    '# Options',
    'Of `conf/posthouse.yaml`. A duration is a number of seconds or a text (`5 min`), a size a number of bytes or a text (`64 KiB`), a ' +
      'secret a text, `{ env: NAME }` or `{ file: PATH }`. The last column says when a change takes effect: _at once_ at a reload ' +
      '(`posthouse config reload`, SIGHUP), for _new sessions_ after it, or at the next _restart_.',
    '## The node',
    options(core),
    '## `hosts.<domain>`',
    'Each domain that is served. `modules` in it holds options of modules that are other here, or `false` for one that is off here.',
    options(host),
    '## `listeners.<name>`',
    `There without being named: ${Object.entries(DEFAULT_LISTENERS)
      .map(([name, { type, port, addresses }]) => `${code(name)} (${type}, ${addresses.join(', ')} port ${port})`)
      .join(', ')}. \`name: false\` closes one.`,
    options(listener),
    '## `modules.<name>`',
    '`name: false` turns a module off. A path (from the folder of the file on) or an npm package turns on one of your own.',
    modules.flatMap(({ name, doc, options: schema = {} }) => [
      `### ${name}`,
      `${cell(doc)} ${defaults.includes(name) ? 'On unless turned off.' : 'Off unless named.'}`,
      Object.keys(schema).length === 0 ? 'No options.' : options(schema),
    ]),
  );
}

function options(schema: OptionsSchema): string {
  return table(['option', 'what', 'type', 'allowed', 'default', 'a change counts'], [...rows(schema, '')]);
}

function* rows(schema: OptionsSchema, prefix: string): Generator<string[]> {
  for (const [name, option] of Object.entries(schema)) {
    const at = prefix + name;
    if (option.kind === 'object') {
      yield* rows(option.properties, `${at}.`);
      continue;
    }
    yield [code(at), cell(option.doc), typeOf(option), allowed(option), initial(option), RELOAD[option.reload]];
    const inner = innerOf(option);
    if (inner) yield* rows(inner, option.kind === 'map' ? `${at}.<${option.keys}>.` : `${at}[].`);
  }
}

const RELOAD = { live: 'at once', 'new-sessions': 'new sessions', restart: 'restart' } as const;

/** The options of an item that is a map itself. */
function innerOf(option: Option): OptionsSchema | undefined {
  return (option.kind === 'list' || option.kind === 'map') && option.item.kind === 'object'
    ? option.item.properties
    : undefined;
}

function typeOf(option: Option): string {
  switch (option.kind) {
    case 'list':
      return `list: ${typeOf(option.item)}`;
    case 'map':
      return `map from ${option.keys}: ${typeOf(option.item)}`;
    case 'object':
      return 'options';
    case 'jid':
      return 'address';
    case 'string':
      return 'text';
    default:
      return option.kind;
  }
}

function allowed(option: Option): string {
  switch (option.kind) {
    case 'integer':
    case 'number':
    case 'duration':
    case 'size': {
      const { minimum, maximum, unit } = option;
      const range = maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `${minimum} to ${maximum}`;
      return unit === undefined ? range : `${range} ${unit}`;
    }
    case 'choice':
      return option.choices.map(code).join(', ');
    case 'string':
      return option.pattern === undefined ? '' : code(cell(option.pattern));
    case 'list':
    case 'map':
      return allowed(option.item);
    default:
      return '';
  }
}

function initial(option: Option): string {
  if (option.required) return 'required';
  if (option.kind === 'secret' || option.default === '') return '';
  if (option.kind === 'list' && option.item.kind === 'choice') {
    const all = option.item.choices.every(choice => (option.default as readonly string[]).includes(choice));
    if (all) return 'all';
  }
  return code(cell(typeof option.default === 'string' ? option.default : JSON.stringify(option.default)));
}
