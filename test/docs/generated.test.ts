import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CORE } from '../../scripts/docs/core.ts';
import { generate, stale } from '../../scripts/generate-docs.ts';
import { makePoints } from '../../src/bus/index.ts';
import { ownModules } from '../../src/node/modules/find.ts';
import { tempFolder } from '../kit/temp.ts';

describe('generated documentation', () => {
  let pages: Record<string, string>;
  before(async () => {
    pages = await generate();
  });

  it('is as the code would make it now (npm run docs)', () => {
    assert.deepEqual(stale(pages), []);
  });

  it('is found stale when a page is missing or other', () => {
    const folder = tempFolder();
    for (const [name, text] of Object.entries(pages)) writeFileSync(path.join(folder, name), text);
    assert.deepEqual(stale(pages, folder), []);
    writeFileSync(path.join(folder, 'hooks.md'), `${pages['hooks.md']}x`);
    assert.deepEqual(stale({ ...pages, 'other.md': '' }, folder), ['hooks.md', 'other.md']);
  });

  it('comes out the same twice', async () => {
    assert.deepEqual(await generate(), pages);
  });

  it('names every point, module and option of a module', () => {
    for (const point of Object.values(makePoints())) {
      assert(pages['hooks.md']!.includes(point.name), point.name);
      assert(pages['hooks.md']!.includes(point.doc), point.doc);
    }
    for (const name of ownModules()) {
      assert(pages['options.md']!.includes(`\n### ${name}\n`), name);
      assert(pages['xeps.md']!.includes(`| \`${name}\` |`), name);
    }
    assert.match(pages['options.md']!, /\| `limit` \| Messages that may wait for one account.* at once \|/);
  });

  it('claims no XEP that no test names', () => {
    const tests = globSync(['test/**/*.test.ts', 'src/**/*.test.ts', 'modules/**/*.test.ts'])
      .filter(file => file !== path.join('test', 'docs', 'generated.test.ts'))
      .map(file => readFileSync(file, 'utf8'))
      .join('\n');
    const claimed = [...pages['xeps.md']!.matchAll(/^\| \[(XEP-\d{4})\]/gm)].map(([, name]) => name!);
    assert(claimed.length > 25);
    assert.deepEqual(
      claimed.filter(name => !tests.includes(name)),
      [],
    );
  });

  it('claims for the core only what its code cites', () => {
    const sources = globSync('src/**/*.ts', { exclude: ['**/*.test.ts'] })
      .map(file => readFileSync(file, 'utf8'))
      .join('\n');
    for (const { number } of CORE.xeps) assert(sources.includes(`XEP-${String(number).padStart(4, '0')}`), `${number}`);
    for (const rfc of CORE.rfcs) assert(sources.includes(rfc), rfc);
  });
});
