import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../kit/ports.ts';
import { removeTemp, tempFolder } from '../kit/temp.ts';
import { until } from '../kit/wait.ts';
import { ROOT } from './program.ts';

const run = promisify(execFile);

/** Packages that `npm ci --omit=dev` installs, by their place in node_modules. */
function packagesOfProduction(): string[] {
  const lock = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
  };
  return Object.entries(lock.packages)
    .filter(([place, { dev, devOptional }]) => /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(place) && !dev && !devOptional)
    .map(([place]) => place.slice('node_modules/'.length))
    .filter(name => existsSync(path.join(ROOT, 'node_modules', name)));
}

/** Puts those packages into a node_modules folder. */
function install(folder: string): void {
  for (const name of packagesOfProduction()) {
    const place = path.join(folder, name);
    mkdirSync(path.dirname(place), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules', name), place);
  }
}

async function configuration(folder: string): Promise<string> {
  const file = path.join(folder, 'ports.yaml');
  const [xmpp, xmpps, https, http] = [await freePort(), await freePort(), await freePort(), await freePort()];
  writeFileSync(
    file,
    `listeners: { xmpp: { port: ${xmpp} }, xmpps: { port: ${xmpps} }, https: { port: ${https} }, http: { port: ${http} } }\n`,
  );
  return file;
}

/** Starts it, runs commands with it while it runs, and stops it. */
async function plays(
  program: readonly [string, ...string[]],
  cwd: string,
  commands: readonly (readonly string[])[],
): Promise<string[]> {
  const conf = await configuration(cwd);
  const env = {
    ...process.env,
    PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`,
    POSTHOUSE_DATA: path.join(cwd, 'data'),
  };
  const [command, ...first] = program;
  const child = spawn(command, [...first, 'start', '--conf', conf], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', chunk => (output += String(chunk)));
  child.stderr.on('data', chunk => (output += String(chunk)));
  try {
    await until(
      () => {
        assert.equal(child.exitCode, null, output);
        return output.includes('"ready"');
      },
      () => `it to be ready: ${output}`,
      60_000,
    );
    const said: string[] = [];
    for (const args of commands) said.push((await run(command, [...first, ...args], { cwd, env })).stdout);
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    assert.equal(child.exitCode, 0, output);
    return said;
  } finally {
    child.kill('SIGKILL');
  }
}

describe('what is built', () => {
  const folder = tempFolder();

  before(async function () {
    this.timeout(240_000);
    // builds dist/ first
    await run('npm', ['pack', '--pack-destination', folder], { cwd: ROOT });
  });
  after(() => removeTemp(folder));

  it('is a package that works where it is installed, as JavaScript and with nothing for development', async () => {
    const app = path.join(folder, 'app');
    const modules = path.join(app, 'node_modules');
    const place = path.join(modules, 'posthouse');
    mkdirSync(place, { recursive: true });
    const [tarball] = readdirSync(folder).filter(name => name.endsWith('.tgz'));
    await run('tar', ['-xzf', path.join(folder, tarball!), '-C', place, '--strip-components=1']);
    install(modules);
    const sources = readdirSync(place, { recursive: true, encoding: 'utf8' }).filter(
      file => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.startsWith('docs'),
    );
    assert.deepEqual(sources, [], 'Node runs no TypeScript below node_modules');
    assert.deepEqual(
      readdirSync(place, { recursive: true, encoding: 'utf8' }).filter(file =>
        /\.test\.|^data|^bench|^test/.test(file),
      ),
      [],
    );
    mkdirSync(path.join(modules, '.bin'));
    symlinkSync('../posthouse/bin/posthouse.js', path.join(modules, '.bin/posthouse'));
    const bin = path.join(modules, '.bin/posthouse');
    // the modules of others write so: docs/modules.md
    writeFileSync(
      path.join(app, 'mine.mjs'),
      "import { defineModule } from 'posthouse/dist/src/api/index.js';\nexport default defineModule({ name: 'mine', doc: 'x', setup() {} });\n",
    );
    const [list, reloaded, mine] = await plays([bin], app, [
      ['module', 'list', '--json'],
      ['module', 'reload', 'vcard'],
      ['module', 'load', './mine.mjs'],
    ]);
    assert.equal(mine, './mine.mjs is loaded.\n');
    const states = (JSON.parse(list!) as { state: string }[]).map(({ state }) => state);
    assert.ok(states.length > 15 && states.every(state => state === 'loaded'), list);
    assert.equal(reloaded, 'vcard is reloaded.\n');
  }).timeout(240_000);

  describe('by the Dockerfile', () => {
    const dockerfile = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8').replaceAll(/\\\n/g, ' ');
    const lines = dockerfile.split('\n').filter(line => line !== '' && !line.startsWith('#'));
    /** COPY lines with what they take of this folder. */
    const copies = lines
      .filter(line => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap(line => line.split(/\s+/).slice(1, -1));
    /** The final stage. */
    const last = lines.slice(lines.findLastIndex(line => line.startsWith('FROM ')));

    it('copies what is there, and what .dockerignore lets through', () => {
      const allowed = readFileSync(path.join(ROOT, '.dockerignore'), 'utf8')
        .split('\n')
        .filter(line => line.startsWith('!'))
        .map(line => line.slice(1));
      for (const source of copies) {
        assert.ok(existsSync(path.join(ROOT, source)), source);
        assert.ok(allowed.includes(source), `${source} is in .dockerignore`);
      }
      for (const name of allowed) assert.ok(copies.includes(name), `${name} is not needed`);
    });

    it('does not run as root, keeps its data in a volume, tells how it is', () => {
      const user = last.findIndex(line => line.startsWith('USER '));
      assert.ok(user > 0 && !/root|0/.test(last[user]!), 'a user');
      assert.ok(last.slice(user).includes('VOLUME /data'));
      assert.ok(last.includes('ENV POSTHOUSE_DATA=/data'));
      assert.ok(last.some(line => line.startsWith('HEALTHCHECK ') && line.endsWith('CMD ["posthouse", "status"]')));
      assert.ok(last.includes('ENTRYPOINT ["posthouse"]') && last.includes('CMD ["start"]'));
    });

    it('runs from the files that it puts together', async () => {
      const image = path.join(folder, 'image');
      mkdirSync(image);
      for (const line of last.filter(text => text.startsWith('COPY '))) {
        const parts = line.split(/\s+/).slice(1);
        if (line.includes('--from=packages')) install(path.join(image, 'node_modules'));
        else if (line.includes('--from=build'))
          cpSync(path.join(ROOT, 'dist'), path.join(image, 'dist'), { recursive: true });
        else {
          const to = parts.pop()!;
          for (const from of parts)
            cpSync(path.join(ROOT, from), path.join(image, to === './' ? from : to), { recursive: true });
        }
      }
      const bin = path.join(image, 'bin/posthouse.js');
      assert.ok(statSync(bin).mode & 0o100, 'it can be executed');
      const [status, list] = await plays([bin], image, [
        ['status', '--json'],
        ['user', 'list'],
      ]);
      assert.equal((JSON.parse(status!) as { ready: string }).ready, 'yes');
      assert.equal(list, 'There is no account yet.\n');
      rmSync(image, { recursive: true });
    }).timeout(240_000);
  });
});
