import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { escapeXml } from '../../src/xml/index.ts';
import { type Claim, claimsOf, statusOf } from './claims.ts';
import type { House } from './load.ts';

interface Package {
  readonly description: string;
  readonly license: string;
}

const SPDX = 'https://spdx.org/licenses/';

/** docs/posthouse.doap: the project as XEP-0453 wants it described, for lists of software. */
export function doapFile(house: House): string {
  const file = fileURLToPath(new URL('../../package.json', import.meta.url));
  const { description, license } = JSON.parse(readFileSync(file, 'utf8')) as Package;
  const claims = claimsOf(house);
  const rfcs = [...new Set(claims.filter(({ xep }) => !xep).map(({ url }) => url))];
  const xeps = Map.groupBy(
    claims.filter(({ xep }) => xep),
    ({ url }) => url,
  );
  return [
    `<?xml version='1.0' encoding='UTF-8'?>`,
    '<!-- Made by `npm run docs` from the code. Do not edit. -->',
    `<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'`,
    `         xmlns='http://usefulinc.com/ns/doap#'`,
    `         xmlns:xmpp='https://linkmauve.fr/ns/xmpp-doap#'>`,
    '  <Project>',
    '    <name>Posthouse</name>',
    `    <shortdesc xml:lang='en'>${escapeXml(description)}</shortdesc>`,
    `    <license rdf:resource='${SPDX}${license}.html'/>`,
    '    <programming-language>TypeScript</programming-language>',
    '    <os>Linux</os>',
    `    <category rdf:resource='https://linkmauve.fr/ns/xmpp-doap#category-server'/>`,
    ...rfcs.map(url => `    <implements rdf:resource='${url}'/>`),
    ...[...xeps].map(([url, of]) => supported(url, of)),
    '  </Project>',
    '</rdf:RDF>',
    '',
  ].join('\n');
}

function supported(url: string, claims: readonly Claim[]): string {
  const xeps = claims.map(({ xep }) => xep!);
  const notes = [...new Set(xeps.flatMap(({ note }) => note ?? []))];
  const isPartial = xeps.some(xep => statusOf(xep) === 'partial');
  return [
    '    <implements>',
    '      <xmpp:SupportedXep>',
    `        <xmpp:xep rdf:resource='${url}'/>`,
    `        <xmpp:status>${isPartial ? 'partial' : 'complete'}</xmpp:status>`,
    `        <xmpp:version>${escapeXml(xeps[0]!.version)}</xmpp:version>`,
    ...(notes.length > 0 ? [`        <xmpp:note xml:lang='en'>${escapeXml(notes.join('; '))}</xmpp:note>`] : []),
    '      </xmpp:SupportedXep>',
    '    </implements>',
  ].join('\n');
}
