import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { tempFolder } from '../kit/temp.ts';
import { posthouse, posthouseEach, ROOT } from './program.ts';

const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };

/** Every command, as it is typed. */
const COMMANDS = [
  ...['start', 'check', 'status', 'stop', 'version'],
  ...['add', 'list', 'show', 'passwd', 'disable', 'enable', 'delete'].map(name => `user ${name}`),
  ...['list', 'close'].map(name => `session ${name}`),
  'message trace',
  'group allow',
  ...['number', 'gather'].map(name => `search ${name}`),
  ...['list', 'load', 'unload', 'reload'].map(name => `module ${name}`),
  ...['show', 'reload'].map(name => `config ${name}`),
];

describe('the command line', () => {
  it('shows every command, and the exit codes, in its help', async () => {
    const { code, out } = await posthouse(['--help']);
    assert.equal(code, 0);
    for (const group of new Set(COMMANDS.map(command => command.split(' ')[0]!)))
      assert.match(out, new RegExp(`^  ${group}\\b`, 'm'));
    assert.match(out, /Examples:/);
    assert.match(out, /0 done, 1 refused or failed, 2 wrong usage, 3 no node is running/);
  });

  it('has examples in the help of every command', async () => {
    const all = await posthouseEach(COMMANDS.map(command => [...command.split(' '), '--help']));
    for (const [at, { code, out }] of all.entries()) {
      const command = COMMANDS[at]!;
      assert.equal(code, 0, command);
      assert.match(out, new RegExp(`Usage: posthouse ${command}`));
      assert.match(out, new RegExp(`Examples?:\n  posthouse (?:check && posthouse )?${command}`));
    }
  });

  it('asks whether what is misspelt was meant to be what is like it', async () => {
    const misspelt: readonly (readonly [string, string])[] = [
      ['strat', 'start'],
      ['user ad romeo@localhost', 'add'],
      ['config relaod', 'reload'],
      ['start --dta x', '--data'],
      ['session close romeo@localhost --see-other-hots x', '--see-other-host'],
    ];
    const all = await posthouseEach(misspelt.map(([typed]) => typed.split(' ')));
    for (const [at, { code, out, err }] of all.entries()) {
      assert.equal(code, 2);
      assert.equal(out, '');
      assert.ok(err.includes(`Did you mean ${misspelt[at]![1]}?`), err);
    }
  });

  it('tells what is missing or too much', async () => {
    const [missing, noAddress, tooMuch, password] = await posthouseEach([
      ['user', 'add'],
      ['user', 'add', 'romeo'],
      ['start', 'now'],
      // a password on the command line is seen by everybody on the machine
      ['user', 'add', 'romeo@localhost', 'secret'],
    ]);
    for (const ended of [missing, noAddress, tooMuch, password]) assert.equal(ended!.code, 2);
    assert.match(missing!.err, /missing required argument 'jid'/);
    assert.match(noAddress!.err, /name@domain, for example romeo@localhost/);
    assert.match(tooMuch!.err, /too many arguments/);
    assert.match(password!.err, /too many arguments/);
  });

  it('tells its version, for people and for programs', async () => {
    const [text, json, short] = await posthouseEach([['version'], ['version', '--json'], ['--version']]);
    assert.equal(text!.out, `posthouse ${version} on Node ${process.versions.node}\n`);
    assert.deepEqual(JSON.parse(json!.out), { posthouse: version, node: process.versions.node });
    assert.equal(short!.out, `${version}\n`);
  });

  it('says how to start a node where a command needs one', async () => {
    const folder = tempFolder();
    const [text, json] = await posthouseEach([
      ['status', '--data', folder],
      ['session', 'list', '--data', folder, '--json'],
    ]);
    assert.equal(text!.code, 3);
    assert.match(text!.err, new RegExp(`no node runs on the data folder ${folder}.*posthouse start --data ${folder}`));
    assert.equal(json!.code, 3);
    assert.match((JSON.parse(json!.err) as { error: string }).error, /no node runs/);
  });

  it('says which file it looked for', async () => {
    const { code, err } = await posthouse(['start', '--conf', '/nowhere/posthouse.yaml']);
    assert.equal(code, 1);
    assert.match(err, /\/nowhere\/posthouse\.yaml: there is no such file\. --conf FILE names another/);
  });
});
