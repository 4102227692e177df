import type { XepClaim } from '../../src/api/index.ts';
import { CORE } from './core.ts';
import type { House } from './load.ts';
import { cell, code, page, table } from './markdown.ts';

/** docs/generated/xeps.md: the standards that modules and the house itself claim. */
export function xepsPage({ modules }: House): string {
  const xeps: { claim: XepClaim; by: string }[] = CORE.xeps.map(claim => ({ claim, by: 'the core' }));
  const rfcs: { section: string; by: string }[] = CORE.rfcs.map(section => ({ section, by: 'the core' }));
  for (const module of modules) {
    for (const claim of module.xeps ?? []) xeps.push({ claim, by: code(module.name) });
    for (const section of module.rfcs ?? []) rfcs.push({ section, by: code(module.name) });
  }
  xeps.sort((a, b) => a.claim.number - b.claim.number || compare(a.by, b.by));
  rfcs.sort((a, b) => compare(a.section, b.section) || compare(a.by, b.by));
  return page(
    '# Standards',
    'What is implemented, by which part, as it stood in which version of the text.',
    '## XEPs',
    table(
      ['XEP', 'version', 'by', 'note'],
      xeps.map(({ claim: { number, version, note = '' }, by }) => [link(number), version, by, cell(note)]),
    ),
    '## RFCs',
    table(
      ['RFC', 'by'],
      rfcs.map(({ section, by }) => [section, by]),
    ),
    '## By module',
    table(
      ['module', 'what it does', 'standards'],
      modules.map(({ name, doc, xeps: claims = [], rfcs: sections = [] }) => [
        code(name),
        cell(doc),
        [...claims.map(({ number }) => link(number)), ...sections].join(', ') || '-',
      ]),
    ),
  );
}

function link(number: number): string {
  const digits = String(number).padStart(4, '0');
  return `[XEP-${digits}](https://xmpp.org/extensions/xep-${digits}.html)`;
}

/** Numbers in texts by their value: 'RFC 6121 3' before 'RFC 6121 10'. */
function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
