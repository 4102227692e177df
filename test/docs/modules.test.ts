import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const PAGE = readFileSync('docs/modules.md', 'utf8');
/** What stands in the page: a comment with the name of a file, then its text. */
const BLOCKS = [...PAGE.matchAll(/<!-- (\S+\.ts) -->\n\n```ts\n([\s\S]*?)```/g)].map(([, file, text]) => ({
  file: file!,
  text: text!,
}));

describe('docs/modules.md', () => {
  it('shows every file of its example, as it is', () => {
    assert.deepEqual(BLOCKS.map(({ file }) => file).sort(), globSync('docs/examples/*/*.ts').sort());
    for (const { file, text } of BLOCKS) assert.equal(text, readFileSync(file, 'utf8'), file);
  });

  it('has no other code than that', () => {
    assert.equal([...PAGE.matchAll(/```ts/g)].length, BLOCKS.length);
  });

  it('turns the example on by a path that is there, with an option that it has', () => {
    const { modules } = parse(/```yaml\n([\s\S]*?)```/.exec(PAGE)![1]!) as { modules: Record<string, object> };
    const [[given, options]] = Object.entries(modules) as [[string, object]];
    const index = path.join('conf', given, 'index.ts');
    const block = BLOCKS.find(({ file }) => file === index);
    assert(block, index);
    for (const name of Object.keys(options)) assert.match(block.text, new RegExp(`    ${name}: option\\.`));
  });

  it('imports nothing of the house but what it says', () => {
    for (const { file, text } of BLOCKS) {
      for (const [, target] of text.matchAll(/from '([^']+)'/g)) {
        const resolved = path.relative('.', path.resolve(path.dirname(file), target!));
        assert.match(resolved, /^(src\/(api|protocol|xml|jid)\/index\.ts|docs\/examples\/[\w-]+\/[\w-]+\.ts)$/, file);
      }
    }
  });

  it('names only what modules are given', () => {
    const api = readFileSync('src/api/module.ts', 'utf8');
    for (const [, name] of PAGE.matchAll(/\bmod\.(\w+)/g)) {
      assert.match(api, new RegExp(`^  (readonly )?${name}[(<:]`, 'm'), `mod.${name}`);
    }
  });

  it('links to what is there', () => {
    for (const [, target] of PAGE.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      assert(globSync(path.join('docs', target!)).length > 0, target);
    }
  });
});
