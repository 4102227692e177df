import { type Claim, claimsOf, readTests, rfcUrl, statusOf, testsOf, xepName, xepUrl } from './claims.ts';
import { linkTo, partsOf } from './compliance.ts';
import type { House } from './load.ts';
import { cell, code, page, table } from './markdown.ts';

/** Files of tests that are named; of more it is told how many there are. */
const MOST = 4;

/** docs/generated/xeps.md: the standards that modules and the house itself claim. */
export function xepsPage(house: House): string {
  const claims = claimsOf(house);
  const tests = readTests();
  const row = (claim: Claim): string[] => {
    const { name, title, url, xep } = claim;
    const head = `[${name}](${url})${title === '' ? '' : ` ${cell(title)}`}`;
    const by = partsOf([claim]);
    const files = testsOf(name, tests);
    const more = files.length > MOST ? ` and ${files.length - MOST} more` : '';
    const shown = `${files.slice(0, MOST).map(linkTo).join(', ')}${more}`;
    return xep ? [head, xep.version, statusOf(xep), by, cell(xep.note ?? ''), shown] : [head, by, shown];
  };
  return page(
    '# Standards',
    'What is implemented, by which part, as it stood in which version of the text, and where it is tested. What it means for the compliance suites: [compliance.md](compliance.md).',
    '## XEPs',
    table(['XEP', 'version', 'status', 'by', 'note', 'tests'], claims.filter(({ xep }) => xep).map(row)),
    '## RFCs',
    table(['RFC', 'by', 'tests'], claims.filter(({ xep }) => !xep).map(row)),
    '## By module',
    table(
      ['module', 'what it does', 'standards'],
      house.modules.map(({ name, doc, xeps = [], rfcs = [] }) => [
        code(name),
        cell(doc),
        [
          ...xeps.map(({ number }) => `[${xepName(number)}](${xepUrl(number)})`),
          ...rfcs.map(section => `[${section}](${rfcUrl(section.split(' ', 2).join(' '))})`),
        ].join(', ') || '-',
      ]),
    ),
  );
}
