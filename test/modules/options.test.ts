import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigError, loadConfig } from '../../src/node/config/index.ts';
import { optionsOfModule } from '../../src/node/modules/find.ts';
import { xml } from '../../src/xml/index.ts';
import { ModuleKit, removeTemp, tempFolder } from '../kit/index.ts';
import { writeModule } from '../kit/written.ts';

/** A module with options of all kinds, which tells them when asked: as they are now, and as they were at its setup. */
const OPTIONS = `options: defineOptions({
  live: option.integer({ default: 1, minimum: 1, maximum: 9, unit: 'things', doc: 'A number.', reload: 'live' }),
  fixed: option.integer({ default: 1, minimum: 1, maximum: 9, doc: 'Read at the start.' }),
  colour: option.choice(['red', 'green'], { doc: 'A colour.', reload: 'live' }),
  pause: option.duration({ default: 60, minimum: 1, maximum: 3600, doc: 'A pause.', reload: 'live' }),
  room: option.size({ default: 1024, minimum: 1, doc: 'Room.', reload: 'live' }),
  on: option.boolean({ doc: 'Whether.', reload: 'live' }),
  who: option.jid({ doc: 'Somebody.', reload: 'live' }),
  secret: option.secret({ doc: 'Hush.', reload: 'live' }),
  servers: option.list(option.object({
    host: option.string({ required: true, doc: 'Its host.' }),
    port: option.integer({ default: 1, minimum: 1, maximum: 65535, doc: 'Its port.' }),
  }), { doc: 'Servers.', reload: 'live' }),
  domains: option.map(option.object({ secret: option.secret({ required: true, doc: 'Its secret.' }) }), { keys: 'a domain', doc: 'Domains.', reload: 'live' }),
}),`;
const TELLS = `const atStart = mod.options().fixed;
  mod.iq({ xmlns: 'urn:example:tell', name: 'tell', to: 'host', type: 'get' }, ({ to }) => {
    const { live, fixed, colour } = mod.options(to.domain);
    return xml('told', { xmlns: 'urn:example:tell', live, fixed, colour, atStart });
  });`;

describe('options of modules', () => {
  const folder = tempFolder();
  const module = writeModule(folder, 'teller', TELLS, OPTIONS);
  const file = path.join(folder, 'posthouse.yaml');
  after(() => removeTemp(folder));

  const load = (yaml: string) => {
    writeFileSync(file, yaml);
    return loadConfig({ file, data: folder, env: { HUSH: 'from outside', NONE: '' }, moduleOptions: optionsOfModule });
  };
  /** What is wrong with these options of the module: line, column, path and sentence. */
  const wrong = async (...options: string[]): Promise<string[]> => {
    const yaml = `modules:\n  ${module}:\n${options.map(line => `    ${line}\n`).join('')}`;
    try {
      await load(yaml);
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return error.problems.map(({ line, column, path: at, message }) => {
        assert.ok(at.startsWith(`modules.${module}`), at);
        return `${line}:${column} ${at.slice(`modules.${module}`.length + 1)}: ${message}`;
      });
    }
    return [];
  };

  it('a misspelt one is refused, with its place and the one that was probably meant', async () => {
    assert.deepEqual(await wrong('live: 3', 'coulor: red'), [
      "4:5 coulor: there is no option of that name. Did you mean 'colour'?",
    ]);
    const [nowhere] = await wrong('xyzzy: 1');
    assert.match(nowhere!, /^3:5 xyzzy: there is no option of that name\. Known here: live, fixed, colour,/);
    assert.deepEqual(await wrong('servers:', '  - { host: a, prot: 1 }'), [
      "4:20 servers[0].prot: there is no option of that name. Did you mean 'port'?",
    ]);
  });

  it('a wrong value is refused, with what it is and what is allowed; all at once', async () => {
    const problems = await wrong(
      'live: 10',
      'fixed: 1.5',
      'colour: gren',
      'pause: 2 hours',
      'room: much',
      'on: yes',
      "who: '@'",
      'servers: nope',
    );
    assert.deepEqual(
      problems.map(text => text.split(' ').slice(0, 2).join(' ')),
      [
        '3:11 live:',
        '4:12 fixed:',
        '5:13 colour:',
        '6:12 pause:',
        '7:11 room:',
        '8:9 on:',
        '9:10 who:',
        '10:14 servers:',
      ],
    );
    assert.match(problems[0]!, /'10' is not allowed: a whole number from 1 to 9 \(things\)/);
    assert.match(problems[2]!, /'gren' is not allowed: one of red, green\. Did you mean 'green'\?/);
    assert.match(problems[3]!, /'2 hours' is not allowed: a number from 1 to 3600 \(seconds\).*'5 min'/);
    assert.match(problems[4]!, /'much' is not allowed: .*'64 KiB'/);
    assert.match(problems[5]!, /'yes' is not allowed: true or false/);
  });

  it('what must be given is missed, at each place', async () => {
    assert.deepEqual(await wrong('servers:', '  - { port: 2 }', "  - { host: '' }"), [
      "4:9 servers[0]: 'host' is missing: Its host.",
      "5:17 servers[1].host: '' is not allowed: a text that is not empty.",
    ]);
    assert.deepEqual(await wrong('domains: { a.example: {}, b.example: { secret: "" } }'), [
      "3:27 domains.a.example: 'secret' is missing: Its secret.",
      "3:52 domains.b.example.secret: '' is not allowed: a secret is not empty.",
    ]);
  });

  it('names of domains are prepared, and told when they are none or stand twice', async () => {
    const config = await load(`modules:\n  ${module}: { domains: { BÜCHER.example: { secret: x } } }\n`);
    assert.deepEqual(Object.keys(config.moduleOptions(module).domains as object), ['bücher.example']);
    const problems = await wrong(
      'domains: { "a b": { secret: x }, A.example: { secret: x }, a.example: { secret: x } }',
    );
    assert.deepEqual(
      problems.map(text => text.slice(5)),
      ["domains.a b: 'a b' is no domain.", "domains.a.example: 'a.example' stands here twice."],
    );
  });

  it('a secret comes from the file, the environment or a file of its own, and is never shown', async () => {
    writeFileSync(path.join(folder, 'hush'), 'from a file\n');
    writeFileSync(path.join(folder, 'empty'), '\n');
    for (const [given, expected] of [
      ["'as it is'", 'as it is'],
      ['{ env: HUSH }', 'from outside'],
      ['{ file: hush }', 'from a file'],
    ]) {
      const config = await load(`modules:\n  ${module}: { secret: ${given} }\n`);
      assert.equal(config.moduleOptions(module).secret, expected);
      assert.ok(!config.print().includes(expected!));
    }
    assert.match((await wrong('secret: { env: NOTHERE }'))[0]!, /the environment has no variable NOTHERE/);
    assert.match((await wrong('secret: { env: NONE }'))[0]!, /NONE, or it is empty/);
    assert.match((await wrong('secret: { file: nowhere }'))[0]!, /cannot be read/);
    assert.match((await wrong('secret: { file: empty }'))[0]!, /is empty/);
    assert.match((await wrong('secret: 12345'))[0]!, /a text in quotes/);
  });

  it('a module that is not there is refused by its place, and the nearest is named', async () => {
    await assert.rejects(load('modules:\n  ofline: {}\n'), (error: ConfigError) => {
      const [{ line, column, message }] = error.problems as [ConfigError['problems'][0]];
      assert.deepEqual([line, column], [2, 3]);
      assert.match(message, /there is no module 'ofline'.*Did you mean 'offline'\?/);
      return true;
    });
    await assert.rejects(load('modules:\n  ./nowhere: {}\n'), /posthouse\.yaml:2:3: .*there is no module at .*nowhere/);
    await assert.rejects(load('modules:\n  ping: 3\n'), /posthouse\.yaml:2:9: modules\.ping: /);
    await assert.rejects(load('hosts: { a.example: { modules: { pign: {} } } }\n'), /this module is not on.*'ping'/);
  });

  describe('in a running node', () => {
    let kit: ModuleKit;
    const TELL = xml('tell', { xmlns: 'urn:example:tell' });
    afterEach(() => kit.close());
    const open = async (options: object, hosts?: Record<string, object>): Promise<void> => {
      kit = await ModuleKit.open({ modules: { ping: {}, [module]: options }, hosts });
    };
    const told = async (host = 'localhost') => {
      const session = await kit.session(`romeo@${host}/x`);
      const { live, fixed, colour, atStart } = (await kit.iq(session, TELL, { to: host }))!.attrs;
      return `live ${live}, fixed ${fixed}, at the start ${atStart}, ${colour}`;
    };

    it('change at a reload as they say: live ones at once; others are told to need more', async () => {
      await open({ live: 2, fixed: 2 });
      assert.equal(await told(), 'live 2, fixed 2, at the start 2, red');
      kit.configure({ ping: {}, [module]: { live: 3, fixed: 3, colour: 'green' } });
      const { changed, restart } = await kit.node.reload();
      assert.deepEqual([...changed].sort(), [`modules.${module}.colour`, `modules.${module}.live`]);
      assert.deepEqual(restart, [`modules.${module}.fixed`]);
      // what needs a restart stays until the module begins again, whenever it is read
      assert.equal(await told(), 'live 3, fixed 2, at the start 2, green');
      await kit.node.modules.reload('teller');
      assert.equal(await told(), 'live 3, fixed 3, at the start 3, green');
    });

    it('a reload is all or nothing', async () => {
      await open({ live: 2 });
      const before = kit.node.modules.list().map(({ name }) => name);
      for (const modules of [
        { ping: {}, [module]: { live: 30 } },
        { ping: {}, version: {}, [module]: { live: 3, coulor: 'red' } },
        { time: {}, [module]: { live: 3 }, 'no-such-module': {} },
        { time: {}, administration: {}, [module]: { live: 3 } },
        { time: {}, [module]: { live: 3 }, [writeModule(tempFolder(), 'bad', "throw new Error('no')")]: {} },
      ]) {
        kit.configure(modules);
        await assert.rejects(kit.node.reload());
        assert.equal(await told(), 'live 2, fixed 1, at the start 1, red');
        assert.deepEqual(
          kit.node.modules.list().flatMap(({ name, state }) => (state === 'loaded' ? name : [])),
          before,
        );
        assert.deepEqual(kit.node.modules.leaks(), []);
      }
      kit.configure({ time: {}, [module]: { live: 3 } });
      await kit.node.reload();
      assert.equal(await told(), 'live 3, fixed 1, at the start 1, red');
      assert.deepEqual(
        kit.node.modules.list().flatMap(({ name, state }) => (state === 'loaded' ? name : [])),
        ['teller', 'time'],
      );
      kit.failures();
    });

    it('a host may have its own, or the module off', async () => {
      const hosts = {
        localhost: {},
        'own.example': { modules: { [module]: { live: 5 } } },
        'off.example': { modules: { [module]: false, ping: false } },
      };
      await open({ live: 2, colour: 'green' }, hosts);
      assert.match(await told(), /^live 2.*green$/);
      assert.match(await told('own.example'), /^live 5.*green$/);
      const PING = xml('ping', { xmlns: 'urn:xmpp:ping' });
      const guest = await kit.session('romeo@off.example/x');
      for (const payload of [TELL, PING])
        assert.equal((await kit.refused(guest, payload, { to: 'off.example' })).condition, 'service-unavailable');
      // live, as everything of a host
      kit.configure(
        { ping: {}, [module]: {} },
        { ...hosts, 'off.example': {}, 'own.example': { modules: { [module]: false } } },
      );
      await kit.node.reload();
      assert.match(await told('off.example'), /^live 1/);
      const own = await kit.session('juliet@own.example/x');
      assert.equal((await kit.refused(own, TELL, { to: 'own.example' })).condition, 'service-unavailable');
    });
  });
});

describe('a module that is off for a host', () => {
  const folder = tempFolder();
  const module = writeModule(
    folder,
    'shouter',
    `mod.on('arriving', 'work', { kind: 'message' }, packet => packet.append('<shout xmlns="urn:example:shout"/>'));
     mod.feature('both', 'urn:example:shout');
     mod.add('discoItems', { jid: host => 'shout.' + host });
     mod.add('commands', { node: 'shout', name: 'Shout', access: 'user', run: () => ({ done: true }) });
     mod.when('bound', session => mod.log.warn({ bound: session.jid.full }, 'bound'));`,
  );
  let kit: ModuleKit;
  before(async () => {
    kit = await ModuleKit.open({
      modules: { messages: {}, disco: {}, commands: {}, [module]: {} },
      hosts: { localhost: {}, 'quiet.example': { modules: { [module]: false } } },
    });
  });
  after(() => kit.close());

  for (const [host, on] of [
    ['localhost', true],
    ['quiet.example', false],
  ] as const) {
    it(`${on ? 'does' : 'does not do'} its work on ${host}: hooks, facts, disco, commands`, async () => {
      const juliet = await kit.session(`juliet@${host}/balcony`, { presence: 0 });
      await kit.route(`<message from='romeo@elsewhere.example' to='juliet@${host}'><body>Soft</body></message>`);
      assert.equal((await juliet.next()).getChild('shout', 'urn:example:shout') !== undefined, on);
      assert.equal(
        kit.logged.some(line => (line as { bound?: string }).bound === juliet.jid.full),
        on,
      );
      const disco = (what: string, node?: string) =>
        xml('query', { xmlns: `http://jabber.org/protocol/disco#${what}`, node });
      const info = await kit.iq(juliet, disco('info'), { to: host });
      assert.equal(
        info!.getChildren('feature').some(({ attrs }) => attrs.var === 'urn:example:shout'),
        on,
      );
      const own = await kit.iq(juliet, disco('info'));
      assert.equal(
        own!.getChildren('feature').some(({ attrs }) => attrs.var === 'urn:example:shout'),
        on,
      );
      const items = await kit.iq(juliet, disco('items'), { to: host });
      assert.equal(
        items!.getChildren('item').some(({ attrs }) => attrs.jid === `shout.${host}`),
        on,
      );
      const commands = await kit.iq(juliet, disco('items', 'http://jabber.org/protocol/commands'), { to: host });
      assert.equal(commands!.getChildren('item').length, on ? 1 : 0);
      const command = xml('command', { xmlns: 'http://jabber.org/protocol/commands', node: 'shout' });
      const answer = await kit.ask(juliet, command, { type: 'set', to: host });
      assert.equal(answer.attrs.type, on ? 'result' : 'error');
    });
  }
});
