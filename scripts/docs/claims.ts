import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { XepClaim } from '../../src/api/index.ts';
import { CORE } from './core.ts';
import type { House } from './load.ts';
import { TITLES } from './titles.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Tests that say what XEPs are about themselves: of the generated pages, not of what these tell. */
const NO_TESTS = new Set(['test/docs/generated.test.ts', 'test/docs/conformance.test.ts']);

/** A standard that a part of the house claims. */
export interface Claim {
  /** 'XEP-0045', 'RFC 6121'. */
  readonly name: string;
  readonly title: string;
  readonly url: string;
  /** The module; '' for the core. */
  readonly module: string;
  /** What is claimed of a XEP; undefined for an RFC. */
  readonly xep: XepClaim | undefined;
}

export const xepName = (number: number): string => `XEP-${String(number).padStart(4, '0')}`;
export const xepUrl = (number: number): string => `https://xmpp.org/extensions/${xepName(number).toLowerCase()}.html`;
export const rfcUrl = (name: string): string =>
  `https://www.rfc-editor.org/info/${name.replace(' ', '').toLowerCase()}`;
/** 'RFC 6121' of 'RFC 6121 8.5.4'. */
export const rfcOf = (section: string): string => section.split(' ', 2).join(' ');

/** All that is claimed, in the order of the numbers: RFCs first, each once for each part of the house. */
export function claimsOf({ modules }: House): Claim[] {
  const found = new Map<string, Claim>();
  const add = (module: string, xeps: readonly XepClaim[], rfcs: readonly string[]): void => {
    for (const xep of xeps) {
      const { number } = xep;
      const claim = { name: xepName(number), title: TITLES[number] ?? '', url: xepUrl(number), module, xep };
      found.set(`${claim.name} ${module}`, claim);
    }
    for (const name of rfcs.map(rfcOf))
      found.set(`${name} ${module}`, { name, title: '', url: rfcUrl(name), module, xep: undefined });
  };
  add('', CORE.xeps, CORE.rfcs);
  for (const { name, xeps = [], rfcs = [] } of modules) add(name, xeps, rfcs);
  return [...found.values()].toSorted(
    (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }) || a.module.localeCompare(b.module),
  );
}

/** How much of a XEP there is. */
export function statusOf({ status = 'complete' }: XepClaim): 'complete' | 'partial' {
  return status;
}

/** The tests, by their paths, with their text. */
export function readTests(): ReadonlyMap<string, string> {
  const files = globSync(['test/**/*.test.ts', 'src/**/*.test.ts', 'modules/**/*.test.ts'], { cwd: ROOT }).toSorted();
  return new Map(
    files.filter(file => !NO_TESTS.has(file)).map(file => [file, readFileSync(`${ROOT}${file}`, 'utf8')] as const),
  );
}

const TITLE = /\b(describe|it)\(\s*(?:'([^'\n]*)'|`([^`]*)`)/g;
/** Where behaviours are played comes before where parts are tested. */
const FOLDERS = [
  'test/plays/',
  'test/wire/',
  'test/streams/',
  'test/modules/',
  'test/operator/',
  'test/clients/',
  'test/',
];

function rankOf(file: string): number {
  const at = FOLDERS.findIndex(folder => file.startsWith(folder));
  return at < 0 ? FOLDERS.length : at;
}

/** The files of tests about a standard: those that name it in what they are called, else all that name it; plays first. */
export function testsOf(name: string, tests: ReadonlyMap<string, string>): string[] {
  const named = new RegExp(`${name}(?!\\d)`);
  /** A suite about it says more than a case that mentions it. */
  const titlesOf = (text: string): number => {
    const all = [...text.matchAll(TITLE)].filter(([, , plain, template]) => named.test(plain ?? template ?? ''));
    return all.reduce((sum, [, kind]) => sum + (kind === 'describe' ? 100 : 1), 0);
  };
  const mentioned = [...tests]
    .filter(([, text]) => named.test(text))
    .map(([file, text]) => ({ file, titles: titlesOf(text) }));
  const titled = mentioned.filter(({ titles }) => titles > 0);
  return (titled.length > 0 ? titled : mentioned)
    .toSorted((a, b) => rankOf(a.file) - rankOf(b.file) || b.titles - a.titles)
    .map(({ file }) => file);
}
