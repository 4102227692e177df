import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CONTROL_SOCKET } from '../../src/node/control-socket.ts';
import { requestUnix } from '../../src/transport/unix.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { moduleCode, writeModule } from '../kit/written.ts';

interface Status {
  readonly name: string;
  readonly state: string;
  readonly file: string;
  readonly version?: string;
  readonly hooks: readonly string[];
  readonly error?: string;
}

const NS = 'urn:example:greeting';
const greets = (text: string) =>
  `mod.iq({ xmlns: '${NS}', name: 'hello', type: 'get', to: 'host' }, () => xml('hello', { xmlns: '${NS}' }, '${text}'));`;

describe('modules of a running node: from the house, a path, a package', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  before(async () => {
    stage = await TestNode.start({ users: ['romeo', 'juliet'] });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
  });
  after(() => stage.stop());
  // whatever was loaded and unloaded: they are connected, and chat
  afterEach(async () => {
    romeo.send("<message to='juliet@localhost' type='chat'><body>Still there?</body></message>");
    assert.equal((await juliet.message()).getChildText('body'), 'Still there?');
    assert.deepEqual(await juliet.settle(), []);
    assert.deepEqual(await romeo.settle(), []);
    assert.deepEqual(stage.node.modules.leaks(), []);
  });

  /** As `posthouse` asks the node. */
  const ask = (command: string, args: object = {}): Promise<unknown> =>
    requestUnix(path.join(stage.folder, CONTROL_SOCKET), { command, args });
  const list = async () => (await ask('module.list')) as Status[];
  const status = async (name: string) => (await list()).find(module => module.name === name);
  const hello = async () => {
    const answer = await romeo.iq('get', `<hello xmlns='${NS}'/>`, 'localhost');
    return answer.attrs.type === 'result' ? answer.getChildText('hello') : condition(answer);
  };

  it("one of the house's own", async () => {
    const version = async () => {
      const answer = await romeo.iq('get', "<query xmlns='jabber:iq:version'/>", 'localhost');
      return answer.attrs.type === 'result' ? answer.getChild('query')!.getChildText('name') : condition(answer);
    };
    assert.equal(await version(), 'Posthouse');
    assert.deepEqual(await ask('module.unload', { name: 'version' }), { unloaded: ['version'] });
    assert.equal(await version(), 'service-unavailable');
    assert.equal(await status('version'), undefined);
    await ask('module.load', { name: 'version' });
    assert.equal(await version(), 'Posthouse');
    await ask('module.reload', { name: 'version' });
    assert.equal(await version(), 'Posthouse');
    assert.deepEqual((await status('version'))?.hooks, [
      'feature host jabber:iq:version',
      'iq get query jabber:iq:version',
    ]);
  });

  it('one by its path, taken anew with its changed code, and the old code where the new is unusable', async () => {
    const folder = writeModule(stage.folder, 'greeting', greets('Good morrow'));
    assert.equal(await hello(), 'service-unavailable');
    await ask('module.load', { name: folder });
    assert.equal(await hello(), 'Good morrow');
    await assert.rejects(ask('module.load', { name: folder }), /is loaded already; 'posthouse module reload/);

    writeModule(stage.folder, 'greeting', greets('Good even'));
    assert.equal(await hello(), 'Good morrow');
    await ask('module.reload', { name: 'greeting' });
    assert.equal(await hello(), 'Good even');

    for (const [broken, why] of [
      ['} this is no code', /cannot be read/],
      ["throw new Error('out of breath')", /out of breath/],
      [`${greets('Half')} mod.use({ name: 'nowhere' })`, /nowhere/],
    ] as const) {
      writeModule(stage.folder, 'greeting', broken);
      await assert.rejects(ask('module.reload', { name: 'greeting' }), error => {
        assert.match((error as Error).message, /the old one goes on/);
        assert.match((error as Error).message, why);
        return true;
      });
      assert.equal(await hello(), 'Good even');
    }
    writeModule(stage.folder, 'greeting', greets('Good night'));
    await ask('module.reload', { name: 'greeting' });
    assert.equal(await hello(), 'Good night');
    await ask('module.unload', { name: 'greeting' });
    assert.equal(await hello(), 'service-unavailable');
  });

  it('files of a module that its index imports are taken anew too', async () => {
    const folder = writeModule(stage.folder, 'parts', '');
    const index = path.join(folder, 'index.js');
    const code = `import { text } from './text.js';\n${moduleCode('parts', '').replace(
      'async setup(mod) {',
      `async setup(mod) {\n mod.iq({ xmlns: '${NS}', name: 'hello', type: 'get', to: 'host' }, () => xml('hello', { xmlns: '${NS}' }, text));`,
    )}`;
    writeFileSync(index, code);
    writeFileSync(path.join(folder, 'text.js'), "export const text = 'one';\n");
    await ask('module.load', { name: folder });
    assert.equal(await hello(), 'one');
    writeFileSync(path.join(folder, 'text.js'), "export const text = 'two';\n");
    await ask('module.reload', { name: 'parts' });
    assert.equal(await hello(), 'two');
    await ask('module.unload', { name: 'parts' });
  });

  it('one from an npm package beside the configuration', async () => {
    const home = path.join(stage.folder, 'node_modules', 'posthouse-greeting');
    mkdirSync(home, { recursive: true });
    writeFileSync(
      path.join(home, 'package.json'),
      JSON.stringify({ name: 'posthouse-greeting', version: '4.5.6', type: 'module', exports: './main.js' }),
    );
    writeFileSync(path.join(home, 'main.js'), moduleCode('packaged-greeting', greets('Well met')));
    await ask('module.load', { name: 'posthouse-greeting' });
    assert.equal(await hello(), 'Well met');
    const { version, file } = (await status('packaged-greeting'))!;
    assert.deepEqual([version, file], ['4.5.6', path.join(home, 'main.js')]);
    writeFileSync(path.join(home, 'main.js'), moduleCode('packaged-greeting', greets('Farewell')));
    // by what the configuration calls it, too
    await ask('module.reload', { name: 'posthouse-greeting' });
    assert.equal(await hello(), 'Farewell');
    assert.deepEqual(await ask('module.unload', { name: 'posthouse-greeting' }), { unloaded: ['packaged-greeting'] });
    await assert.rejects(ask('module.load', { name: 'posthouse-greetin' }), /there is no module 'posthouse-greetin'/);
  });

  it('what others need is not unloaded, unless they are too', async () => {
    await assert.rejects(
      ask('module.unload', { name: 'commands' }),
      /administration needs the module commands; --cascade/,
    );
    assert.equal((await status('commands'))?.state, 'loaded');
    const { unloaded } = (await ask('module.unload', { name: 'commands', cascade: true })) as { unloaded: string[] };
    assert.deepEqual(unloaded, ['administration', 'commands']);
    await assert.rejects(ask('module.load', { name: 'administration' }), /needs commands, which is not on/);
    await ask('module.load', { name: 'commands' });
    await ask('module.load', { name: 'administration' });
    assert.equal((await status('administration'))?.state, 'loaded');
  });

  it('needs come first, whatever the order in the configuration, and a circle is named', async () => {
    const needing = writeModule(stage.folder, 'aaa', "mod.use({ name: 'zzz' });", "needs: ['zzz'],");
    const needed = writeModule(stage.folder, 'zzz', "mod.provide({ name: 'zzz' }, {});");
    await configure(`modules: { '${needing}': {}, '${needed}': {} }`);
    await ask('config.reload');
    assert.deepEqual([(await status('aaa'))?.state, (await status('zzz'))?.state], ['loaded', 'loaded']);
    await configure('');
    await ask('config.reload');
    assert.equal(await status('aaa'), undefined);
    writeModule(stage.folder, 'snake', '', "needs: ['tail'],");
    writeModule(stage.folder, 'tail', '', "needs: ['snake'],");
    await configure(`modules: { '${stage.folder}/snake': {}, '${stage.folder}/tail': {} }`);
    await assert.rejects(ask('config.reload'), /circle: snake -> tail -> snake/);
    await configure('');
  });

  it('two that call themselves the same are not both loaded', async () => {
    const other = path.join(stage.folder, 'other');
    mkdirSync(other, { recursive: true });
    writeFileSync(path.join(other, 'index.js'), moduleCode('time', ''));
    await assert.rejects(ask('module.load', { name: other }), /'time' and '.*other' are both the module time/);
    assert.equal((await status('time'))?.file.endsWith('modules/time/index.ts'), true);
  });

  let plain: string | undefined;
  async function configure(yaml: string): Promise<void> {
    plain ??= readFileSync(stage.configFile, 'utf8');
    writeFileSync(stage.configFile, `${plain}${yaml}\n`);
  }
});
