import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Claim, claimsOf, testsOf } from '../../scripts/docs/claims.ts';
import { isSuiteMet, met, SUITES } from '../../scripts/docs/compliance.ts';
import { doapFile } from '../../scripts/docs/doap.ts';
import { withHouse } from '../../scripts/docs/load.ts';
import { generate } from '../../scripts/generate-docs.ts';
import type { Element } from '../../src/xml/index.ts';
import { parseElement } from '../../src/xml/index.ts';

const DOAP = 'http://usefulinc.com/ns/doap#';
const RDF = 'rdf:resource';

describe('what is said of standards', () => {
  let pages: Record<string, string>;
  let doap: string;
  let claims: readonly Claim[];
  before(async () => {
    pages = await generate();
    await withHouse(house => {
      claims = claimsOf(house);
      doap = doapFile(house);
    });
  });

  it('a feature of the compliance suites is met where all that it needs is claimed and tested, and not otherwise', () => {
    const feature = { name: 'Both', level: 'core', providers: [45, 'RFC 6120'] } as const;
    const claim = (name: string): Claim => ({ name, title: '', url: '', module: 'x', xep: undefined });
    const tests = new Map([
      ['test/plays/a.test.ts', "describe('play: XEP-0045', () => {})"],
      ['test/plays/b.test.ts', "describe('RFC 6120 and XEP-00451', () => {})"],
    ]);
    const both = [claim('XEP-0045'), claim('RFC 6120')];
    const whole = met(feature, both, tests);
    assert.equal(whole.met, true);
    assert.deepEqual(whole.tests, [...tests.keys()]);
    assert.equal(met(feature, both.slice(1), tests).met, false);
    assert.equal(met(feature, both, new Map([...tests].slice(0, 1))).met, false);
    const later = met({ ...feature, level: 'advanced' }, [], tests);
    assert.deepEqual(
      [isSuiteMet([whole, later], 'core'), isSuiteMet([whole, later], 'advanced'), isSuiteMet([whole], 'advanced')],
      [true, false, true],
    );
  });

  it('tests of a standard are those that are called after it, plays first; else all that name it', () => {
    const tests = new Map([
      ['src/a.test.ts', "it('XEP-0045 7.2', () => {})"],
      ['test/plays/b.test.ts', 'describe(`play: rooms (XEP-0045)`, () => {})'],
      ['test/plays/c.test.ts', '// XEP-0045, XEP-0249'],
    ]);
    assert.deepEqual(testsOf('XEP-0045', tests), ['test/plays/b.test.ts', 'src/a.test.ts']);
    assert.deepEqual(testsOf('XEP-0249', tests), ['test/plays/c.test.ts']);
    assert.deepEqual(testsOf('XEP-0004', tests), []);
  });

  it('the pages lead to tests that are there', () => {
    for (const name of ['compliance.md', 'xeps.md']) {
      const links = [...pages[name]!.matchAll(/\]\((\.\.\/[^)]+)\)/g)].map(([, link]) => link!);
      assert.ok(links.length > 20);
      for (const link of links) assert.ok(existsSync(path.join('docs/generated', link)), link);
    }
  });

  it('each row of the compliance suites has a test or says that it is not met yet', () => {
    const rows = pages['compliance.md']!.split('\n').filter(line => / \| (core|advanced) \| /.test(line));
    assert.equal(rows.length, SUITES.flatMap(({ features }) => features).length);
    for (const row of rows) assert.ok(row.includes('.test.ts') !== row.includes('**not yet**'), row);
  });

  it('the DOAP file names each XEP that is claimed, once, with its status and version (XEP-0453)', () => {
    const [project] = parseElement(doap.slice(doap.indexOf('<rdf:RDF')), '').getChildElements();
    assert.equal(project!.name, 'Project');
    const said = project!
      .getChildren('implements', DOAP)
      .flatMap((one: Element) => one.getChildElements())
      .map(one => {
        const of = (name: string): Element =>
          one.getChildElements().find(child => child.name.replace(/^xmpp:/, '') === name)!;
        assert.ok(['complete', 'partial'].includes(of('status').getText()));
        assert.match(of('version').getText(), /^\d+(\.\d+)*$/);
        return of('xep').attrs[RDF] as string;
      });
    const xeps = claims.filter(({ xep }) => xep).map(({ url }) => url);
    assert.ok(said.length > 40);
    assert.deepEqual(said, [...new Set(xeps)]);
    for (const { url } of claims) assert.ok(doap.includes(`'${url}'`), url);
  });
});
