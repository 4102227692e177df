/*
 * Writes modules/search/han.ts: which ideographs are the traditional forms of which simplified ones. The pairs are those of the transform
 * Hant-Hans of Unicode's CLDR, as ICU's `uconv` has it (Debian: icu-devtools).
 *
 *   node scripts/generate-han-table.ts
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const FILE = path.join(import.meta.dirname, '../modules/search/han.ts');
/** The unified ideographs of the BMP. */
const [FIRST, LAST] = [0x4e00, 0x9fff];
const WIDTH = 100;

function uconv(args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync('uconv', args, { input, encoding: 'utf8', maxBuffer: 1 << 24 });
  if (error || status !== 0) throw new Error(`uconv: ${error?.message ?? stderr}`);
  return stdout;
}

const all = Array.from({ length: LAST - FIRST + 1 }, (_, i) => String.fromCodePoint(FIRST + i));
// a line each: the transform looks at what stands beside
const simplified = uconv(['-x', 'Traditional-Simplified'], all.join('\n')).split('\n');
if (simplified.length !== all.length) throw new Error('uconv gave another number of lines');
const to = new Map(all.map((character, i) => [character, simplified[i]!]));
const pairs = all
  .map(character => {
    // where the simplified form of one is the traditional of another, the last of them
    let end = character;
    for (let steps = 0; steps < 5 && to.has(end) && to.get(end) !== end && [...to.get(end)!].length === 1; steps++)
      end = to.get(end)!;
    return [character, end] as const;
  })
  .filter(([from, end]) => from !== end);

const lines = (text: string): string =>
  Array.from(
    { length: Math.ceil(text.length / WIDTH) },
    (_, i) => `  '${text.slice(i * WIDTH, (i + 1) * WIDTH)}'`,
  ).join(' +\n');
writeFileSync(
  FILE,
  `// Written by scripts/generate-han-table.ts; do not edit. Derived from the transform Hant-Hans of the Unicode CLDR (copyright Unicode, Inc.,
// https://www.unicode.org/license.txt).

/** Traditional ideographs. */
export const TRADITIONAL =
${lines(pairs.map(([from]) => from).join(''))};

/** The simplified forms of them, in the same order. */
export const SIMPLIFIED =
${lines(pairs.map(([, end]) => end).join(''))};
`,
);
console.log(`${pairs.length} ideographs`);
