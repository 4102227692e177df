/* What servers need for the XMPP Compliance Suites 2023 (XEP-0479 0.1.0), and what of it there is. */
import { DEFAULT_MODULES } from '../../src/node/config/schema.ts';
import { type Claim, claimsOf, readTests, rfcUrl, testsOf, xepName, xepUrl } from './claims.ts';
import type { House } from './load.ts';
import { page, table } from './markdown.ts';

/** A feature that servers need at a level: XEP-0479 3. What is for clients alone is left out. */
export interface Feature {
  readonly name: string;
  readonly level: 'core' | 'advanced';
  /** RFCs by name, XEPs by number; all of them are needed. */
  readonly providers: readonly (string | number)[];
}

export interface Suite {
  readonly name: string;
  readonly features: readonly Feature[];
}

const core = (name: string, ...providers: Feature['providers']): Feature => ({ name, level: 'core', providers });
const advanced = (name: string, ...providers: Feature['providers']): Feature => ({
  name,
  level: 'advanced',
  providers,
});

export const SUITES: readonly Suite[] = [
  {
    name: 'Core',
    features: [
      core('Core features', 'RFC 6120'),
      core('TLS', 'RFC 7590'),
      core('Feature discovery', 30),
      core('Server extensibility', 114),
      advanced('Direct TLS', 368),
      advanced('Feature broadcasts', 115),
      advanced('Event publishing', 163),
    ],
  },
  {
    name: 'Web',
    features: [core('Web connection mechanisms', 'RFC 7395', 206)],
  },
  {
    name: 'IM',
    features: [
      core('Core features', 'RFC 6121'),
      core('vcard-temp', 54),
      core('Outbound message synchronization', 280),
      core('Group chat', 45, 249),
      core('File upload', 363),
      advanced('User avatar compatibility', 398, 153),
      advanced('User blocking', 191),
      advanced('Advanced group chat', 48, 313, 402, 410),
      advanced('Persistent storage of private data via PubSub', 223),
      advanced('Private XML storage', 49),
      advanced('Stream management', 198),
      advanced('History storage and retrieval', 313),
    ],
  },
  {
    name: 'Mobile',
    features: [
      core('Stream management', 198),
      core('Client state indication', 352),
      advanced('Third party push notifications', 357),
    ],
  },
  {
    name: 'A/V calling',
    features: [core('STUN and TURN server discovery', 215)],
  },
];

/** A feature with what stands for it. */
export interface Met {
  readonly feature: Feature;
  readonly providers: readonly { readonly name: string; readonly url: string; readonly claims: readonly Claim[] }[];
  readonly tests: readonly string[];
  /** Whether all that it needs is there and tested. */
  readonly met: boolean;
}

export function met(feature: Feature, claims: readonly Claim[], tests: ReadonlyMap<string, string>): Met {
  const providers = feature.providers.map(provider => {
    const name = typeof provider === 'number' ? xepName(provider) : provider;
    const url = typeof provider === 'number' ? xepUrl(provider) : rfcUrl(provider);
    return { name, url, claims: claims.filter(claim => claim.name === name) };
  });
  const of = providers.map(({ name }) => testsOf(name, tests));
  const isMet = providers.every(({ claims: by }, at) => by.length > 0 && of[at]!.length > 0);
  return { feature, providers, tests: isMet ? [...new Set(of.map(files => files[0]!))] : [], met: isMet };
}

/** Whether a suite is met at a level: XEP-0479 3.2, every other one needs Core as well. */
export function isSuiteMet(all: readonly Met[], level: Feature['level']): boolean {
  return all.every(one => one.met || (level === 'core' && one.feature.level === 'advanced'));
}

/** docs/generated/compliance.md. */
export function compliancePage(house: House): string {
  const claims = claimsOf(house);
  const tests = readTests();
  const suites = SUITES.map(({ name, features }) => ({
    name,
    all: features.map(feature => met(feature, claims, tests)),
  }));
  const needed = suites[0]!.all;
  const word = (yes: boolean): string => (yes ? 'met' : 'not yet');
  return page(
    '# Compliance suites',
    'What a server needs for the XMPP Compliance Suites 2023 ([XEP-0479](https://xmpp.org/extensions/xep-0479.html) 0.1.0), by which part it is there, and ' +
      'a test of each. The advanced level needs all of the core level, and each suite all of Core.',
    table(
      ['suite', 'core level', 'advanced level'],
      suites.map(({ name, all }) => [
        name,
        word(isSuiteMet([...needed, ...all], 'core')),
        word(isSuiteMet([...needed, ...all], 'advanced')),
      ]),
    ),
    ...suites.flatMap(({ name, all }) => [
      `## ${name}`,
      table(
        ['feature', 'level', 'needs', 'by', 'tests'],
        all.map(({ feature, providers, tests: files, met: isMet }) => [
          feature.name,
          feature.level,
          providers.map(({ name: provider, url }) => `[${provider}](${url})`).join(', '),
          isMet ? partsOf(providers.flatMap(({ claims: by }) => by)) : '**not yet**',
          files.map(linkTo).join(', '),
        ]),
      ),
    ]),
  );
}

/** Parts of the house; those that are off as it comes are said to be. */
export function partsOf(claims: readonly Claim[]): string {
  const isOn = (module: string): boolean => DEFAULT_MODULES.some(name => name === module);
  const names = [...new Set(claims.map(({ module }) => module))];
  return names
    .map(name => (name === '' ? 'the core' : `\`${name}\`${isOn(name) ? '' : ' (off unless named)'}`))
    .join(', ');
}

/** From docs/generated/. */
export function linkTo(file: string): string {
  return `[${file.replace(/^test\//, '').replace(/\.test\.ts$/, '')}](../../${file})`;
}
