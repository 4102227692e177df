import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOMS } from '../../scripts/check-imports.ts';
import { needs } from '../kit/needs.ts';
import { tempFolder } from '../kit/temp.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const README = read('README.md');
const PACKAGE = JSON.parse(read('package.json')) as { scripts: Record<string, string>; engines: { node: string } };

function read(name: string): string {
  return readFileSync(path.join(ROOT, name), 'utf8');
}

/** Runs a command in the repository; what it said, and its exit code. */
function run(command: string, args: readonly string[], input = ''): Promise<{ code: number; said: string }> {
  return new Promise(resolve => {
    const child = execFile(command, args, { cwd: ROOT }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, said: stdout + stderr }),
    );
    child.stdin?.on('error', () => {}); // it need not read its input
    child.stdin?.end(input);
  });
}

const posthouse = (args: readonly string[], input?: string) =>
  run(process.execPath, [path.join(ROOT, 'bin/posthouse.js'), ...args], input);

/** Lines of the README's blocks of shell commands. */
const shell = [...README.matchAll(/^ *```sh\n([^`]*)```$/gm)].flatMap(([, block]) =>
  block!
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== ''),
);

describe('README', () => {
  it('tells how to run and how to test it, in one line each, as package.json has it', () => {
    assert.deepEqual(shell.slice(0, 2), ['npm ci && npm start', 'npm test']);
    assert(PACKAGE.scripts.start && PACKAGE.scripts.test);
    assert(README.includes(`Node (${PACKAGE.engines.node.replace('>=', '')} or later`));
  });

  it('is where .ci/run takes the test command from', async function () {
    needs(this, { command: 'bash', why: 'what .ci/run is written in' });
    const [reading] = /^readme_test\(\) \{\n[^]*?^\}$/m.exec(read('.ci/run'))!;
    assert.deepEqual(await run('bash', ['-c', `${reading}; readme_test`]), { code: 0, said: 'npm test\n' });
    assert.match(read('.ci/run'), /command=\$\(readme_test\)/);
  });

  it('names commands that exist', async () => {
    const named = [...README.matchAll(/`(?:npx )?posthouse ([^`]*)`/g)].map(match => match[1]!);
    assert(named.length > 1);
    for (const command of named) {
      const words = command.split(' ').filter(word => !word.startsWith('-'));
      const { code, said } = await posthouse([...words, '--help']);
      assert.equal(code, 0, said);
      assert.match(said, new RegExp(`^Usage: posthouse ${['', ...words].join(' ').trim()}`));
    }
  });

  it('adds users by commands that work as they stand there', async function () {
    this.timeout(60_000);
    const data = path.join(tempFolder(), 'data');
    const commands = shell.filter(line => line.startsWith('npx posthouse user add '));
    assert.equal(commands.length, 2);
    for (const command of commands) {
      const [npx = '', name = '', ...args] = `${command} --data ${data}`.split(' ');
      // npx takes its time, and is the same for both
      const { code, said } =
        command === commands[0]
          ? await run(npx, ['--no', name, ...args], 'a password\n')
          : await posthouse(args, 'a password\n');
      assert.equal(code, 0, said);
      assert.match(said, new RegExp(`${args[2]} was added\\.`));
    }
    const { said } = await posthouse(['user', 'list', '--data', data]);
    assert.match(said, /juliet@localhost/);
    assert.match(said, /romeo@localhost/);
  });
});

describe('documentation', () => {
  it('links to files that are there, and to headings that are there', () => {
    const pages = ['README.md', 'CHANGELOG.md', ...globSync('{docs,modules,test,bench}/**/*.md', { cwd: ROOT })];
    const dead: string[] = [];
    for (const page of pages) {
      for (const [, target] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target!)) continue;
        const [file, heading] = target!.split('#') as [string, string | undefined];
        const there = path.join(ROOT, path.dirname(page), file);
        if (file !== '' && !existsSync(there)) dead.push(`${page}: ${target}`);
        else if (heading !== undefined && !headings(file === '' ? path.join(ROOT, page) : there).includes(heading)) {
          dead.push(`${page}: ${target}`);
        }
      }
    }
    assert.deepEqual(dead, []);
  });

  it('architecture.md tells of every room, and of no file that is not there', () => {
    const page = read('docs/architecture.md');
    for (const room of readdirSync(path.join(ROOT, 'src'))) assert(page.includes(`](../src/${room})`), room);
    for (const room of Object.keys(ROOMS)) assert(page.includes(room), room);
    // src/cluster is planned
    const named = [...page.matchAll(/`((?:src|modules|test|scripts|bench|conf)\/[\w./-]+)`/g)].map(match => match[1]!);
    assert.deepEqual(
      named.filter(name => name !== 'src/cluster' && !existsSync(path.join(ROOT, name))),
      [],
    );
  });

  it('decisions are numbered without a gap and say in a few lines what was decided', () => {
    const names = readdirSync(path.join(ROOT, 'docs/adr')).sort();
    for (const [index, name] of names.entries()) {
      const number = String(index + 1).padStart(4, '0');
      assert.match(name, new RegExp(`^${number}-[a-z0-9-]+\\.md$`));
      const text = read(`docs/adr/${name}`);
      assert.match(text, new RegExp(`^# ${number}: `));
      assert(text.split('\n').length <= 25, `${name} is long`);
      for (const [file] of text.matchAll(/\b(?:src|modules|bin)\/[\w/-]+\.(?:ts|js|md)\b/g)) {
        assert(existsSync(path.join(ROOT, file)), `${name} names ${file}`);
      }
    }
    assert(names.length > 5);
  });
});

/** A page without its code. */
function prose(page: string): string {
  return read(page)
    .replaceAll(/^( *)```[^]*?^\1```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, '');
}

/** The anchors of a page's headings, as GitHub makes them. */
function headings(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
