import assert from 'node:assert/strict';
import { xml } from '../../src/xml/index.ts';
import { type KitSession, type LogLine, ModuleKit, refusalOf, tempFolder, turn } from '../kit/index.ts';
import { writeModule } from '../kit/written.ts';

/** The ways of a handler to go wrong. */
const WAYS: Record<string, string> = {
  'throws an error': "throw new Error('a fault')",
  'throws what is no error': "throw 'a fault'",
  rejects: "return Promise.reject(new Error('a fault'))",
  'answers with a promise of itself': 'const loop = Promise.resolve().then(() => loop); return loop',
  'returns what is no verdict': 'return { fault: true }',
  'promises what is no verdict': "return Promise.resolve('fault')",
};
/** Those that need time to be found out. */
const SLOW_WAYS: Record<string, string> = {
  'never answers': 'return new Promise(() => {})',
  'waits for one promise after another for ever':
    'return (async () => { while (!mod.signal.aborted) await new Promise(setImmediate) })()',
};

/** A module with one handler that goes wrong for messages that say 'fault', or name the way. */
const handler = (point: string, phase: string, code: string, way = ''): string =>
  `mod.on('${point}', '${phase}', { kind: 'message' }, packet => {
    const body = packet.stanza.childText('body');
    if (!body?.startsWith('fault') || (body !== 'fault' && body !== 'fault: ${way}')) return undefined;
    ${code};
  });`;

describe('a module that fails harms only itself', () => {
  let kit: ModuleKit;
  let romeo: KitSession;
  let juliet: KitSession;
  // Node reads a file once: each test writes one of its own
  const write = (setup: string) => writeModule(tempFolder(), 'bad', setup);
  afterEach(() => kit.close());

  const open = async (setup: string, clock = false): Promise<void> => {
    const bad = write(setup);
    kit = await ModuleKit.open({ clock, modules: { messages: {}, ping: {}, disco: {}, roster: {}, [bad]: {} } });
    romeo = await kit.session('romeo@localhost/orchard');
    juliet = await kit.session('juliet@localhost/balcony', { presence: 0 });
  };
  const say = (text: string) =>
    kit.receive(romeo, `<message to='juliet@localhost' type='chat' id='m'><body>${text}</body></message>`);
  const bodies = (session: KitSession) => session.fresh().map(message => message.getChildText('body'));
  const bounced = () => romeo.fresh().map(stanza => refusalOf(stanza).condition);
  const failures = () =>
    kit.node.metrics.families
      .find(({ name }) => name === 'posthouse_module_failures_total')
      ?.read()
      .map(({ labels: { module, point }, value }) => `${module} ${point} ${value}`) ?? [];
  const noted = (lines: LogLine[]) => lines.map(({ module, point, msg }) => `${module} ${point}: ${msg}`);

  it('a gate refuses the stanza, and lets all others pass', async () => {
    await open(
      Object.entries(WAYS)
        .map(([way, code]) => handler('arriving', 'gate', code, way))
        .join('\n'),
    );
    for (const way of Object.keys(WAYS)) {
      await say('one');
      await say(`fault: ${way}`);
      await say('two');
      assert.deepEqual(bodies(juliet), ['one', 'two'], way);
      assert.deepEqual(bounced(), ['internal-server-error'], way);
      assert.deepEqual(noted(kit.failures()), ['bad arriving: a module failed'], way);
    }
    assert.deepEqual(failures(), [`bad arriving ${Object.keys(WAYS).length}`]);
  });

  for (const phase of ['work', 'tap']) {
    it(`a handler in ${phase} is passed over`, async () => {
      const ways = Object.entries(WAYS).filter(([way]) => phase === 'work' || !way.includes('verdict'));
      const handlers = ways.map(
        ([way, code]) => handler('received', phase, code, way) + handler('deliver', phase, code, way),
      );
      await open(handlers.join('\n'));
      for (const [way] of ways) {
        await say('one');
        await say(`fault: ${way}`);
        await say('two');
        await turn();
        assert.deepEqual(bodies(juliet), ['one', `fault: ${way}`, 'two']);
        assert.deepEqual(romeo.fresh(), [], way);
        assert.deepEqual(noted(kit.failures()), ['bad received: a module failed', 'bad deliver: a module failed'], way);
      }
      assert.deepEqual(failures(), [`bad received ${ways.length}`, `bad deliver ${ways.length}`]);
    });
  }

  it('what a tap returns counts for nothing', async () => {
    await open(handler('received', 'tap', 'return DONE') + handler('arriving', 'tap', "return Promise.resolve('x')"));
    await say('fault');
    assert.deepEqual(bodies(juliet), ['fault']);
  });

  for (const [way, code] of Object.entries(SLOW_WAYS)) {
    it(`a gate that ${way} keeps its sender waiting, nobody else, and refuses at last`, async () => {
      await open(handler('arriving', 'gate', code), true);
      const nurse = await kit.session('nurse@localhost/x');
      const saying = say('fault');
      const next = say('two');
      await turn();
      await kit.receive(nurse, "<message to='juliet@localhost' type='chat'><body>from the nurse</body></message>");
      assert.deepEqual(bodies(juliet), ['from the nurse']);
      await kit.clock.tickAsync(9_000);
      assert.deepEqual([...bodies(juliet), ...bounced()], []);
      await kit.clock.tickAsync(1_100);
      await Promise.all([saying, next]);
      assert.deepEqual(bodies(juliet), ['two']);
      assert.deepEqual(bounced(), ['internal-server-error']);
      assert.deepEqual(noted(kit.failures()), ['bad arriving: a module failed']);
    });

    it(`a handler in work that ${way} is passed over, and the order is kept`, async () => {
      await open(handler('received', 'work', code), true);
      const saying = say('fault');
      const next = say('two');
      await kit.clock.tickAsync(10_100);
      await Promise.all([saying, next]);
      assert.deepEqual(bodies(juliet), ['fault', 'two']);
      assert.equal(kit.failures().length, 1);
    });
  }

  it('a listener of facts that fails is noted, and the others are told', async () => {
    const told = "mod.when('sent', packet => { if (packet.id === 'm') throw new Error('a fault') });";
    const later = "mod.when('sent', packet => packet.id === 'm' ? Promise.reject(new Error('a fault')) : undefined);";
    await open(told + later);
    await say('one');
    assert.deepEqual(bodies(juliet), ['one']);
    await turn();
    assert.equal(kit.failures().length, 2);
  });

  describe('what is asked of it', () => {
    const NS = 'urn:example:bad';
    const iq = (name: string, body: string) =>
      `mod.iq({ xmlns: '${NS}', name: '${name}', to: 'both' }, () => { ${body} });`;

    it('an IQ handler is answered for', async () => {
      const ways = Object.entries({
        ...WAYS,
        'returns nothing': '',
        'returns a text': "return '<x/>'",
        'promises nothing': 'return Promise.resolve()',
      });
      await open(ways.map(([, code], i) => iq(`x${i}`, code)).join('\n'));
      for (const [i, [way]] of ways.entries()) {
        const refusal = await kit.refused(romeo, xml(`x${i}`, { xmlns: NS }), { to: 'localhost' });
        const { condition, type, text } = refusal;
        assert.deepEqual([condition, type, text], ['internal-server-error', 'cancel', undefined], way);
        assert.deepEqual(noted(kit.failures()), [`bad iq ${NS}: a module failed`], way);
      }
      await kit.iq(romeo, xml('ping', { xmlns: 'urn:xmpp:ping' }), { to: 'localhost' });
    });

    it('an IQ handler that never answers is answered for', async () => {
      await open(iq('x', 'return new Promise(() => {})'), true);
      const asking = kit.refused(romeo, xml('x', { xmlns: NS }), { to: 'localhost' });
      await kit.clock.tickAsync(30_100);
      assert.equal((await asking).condition, 'internal-server-error');
      assert.equal(kit.failures().length, 1);
    });
  });

  describe('what it declares', () => {
    const fault = "throw new Error('a fault')";
    const points = () => kit.failures().map(({ module, point }) => `${module} ${point}`);

    it('disco goes on without its forms and items', async () => {
      await open(
        `mod.add('disco', { of: 'host', form: () => { ${fault} } });
         mod.feature('host', 'urn:example:kept');
         mod.feature('host', 'urn:example:lost', () => { ${fault} });
         mod.add('discoItems', { jid: () => { ${fault} } });
         mod.add('discoNodes', { of: 'host', node: 'bad', info: () => { ${fault} }, items: () => 'text' });`,
      );
      const ask = (name: string, node?: string) =>
        kit.ask(romeo, xml('query', { xmlns: `http://jabber.org/protocol/disco#${name}`, node }), { to: 'localhost' });
      const features = (await ask('info')).getChild('query')!.getChildren('feature');
      const vars = features.map(({ attrs }) => attrs.var as string);
      assert.ok(vars.includes('urn:xmpp:ping') && vars.includes('urn:example:kept'));
      assert.ok(!vars.includes('urn:example:lost'));
      assert.deepEqual((await ask('items')).getChild('query')!.children, []);
      for (const name of ['info', 'items'])
        assert.equal(refusalOf(await ask(name, 'bad')).condition, 'internal-server-error');
      assert.deepEqual(new Set(points()), new Set(['bad disco host', 'bad disco items', 'bad disco node bad']));
    });

    it('figures are shown without its own', async () => {
      await open(`mod.add('gauges', { name: 'posthouse_bad', help: 'Bad.', read: () => { ${fault} } });`);
      const read = () => kit.node.metrics.families.map(family => [family.name, family.read()] as const);
      const bad = read().find(([name]) => name === 'posthouse_bad')!;
      assert.deepEqual(bad[1], []);
      assert.deepEqual(points(), ['bad figure posthouse_bad']);
    });

    it('stanzas for its domain come back', async () => {
      await open(
        `mod.add('domains', { serves: domain => domain === 'bad.example', receive: () => { ${fault} } });
         mod.add('domains', { serves: domain => { if (domain === 'bad.example') return false; ${fault} }, receive() {} });`,
      );
      await kit.receive(romeo, "<message to='bad.example' id='m'><body>x</body></message>");
      assert.deepEqual(bounced(), ['internal-server-error']);
      await kit.receive(romeo, "<message to='other.example' id='m'><body>x</body></message>");
      assert.deepEqual(bounced(), ['remote-server-not-found']);
      assert.deepEqual(points(), ['bad a domain', 'bad a domain']);
    });

    it('a job that fails is noted and done again', async () => {
      await open(`let n = 0; mod.every(1000, () => { if (n++ % 2 === 0) ${fault} });`, true);
      await kit.clock.tickAsync(3_100);
      assert.deepEqual(points(), ['bad every', 'bad every']);
    });
  });
});

describe('a module that cannot be loaded or unloaded in order', () => {
  let kit: ModuleKit;
  afterEach(() => kit.close());
  const registers = `mod.on('received', 'work', {}, () => undefined); mod.feature('host', 'urn:example:x');
    mod.every(1000, () => {}); mod.count('x', 'X.'); mod.perSession(() => 1); mod.provide({ name: 'bad' }, {});
    mod.iq({ xmlns: 'urn:example:x', to: 'host' }, () => Empty);`;

  for (const [way, code, told] of [
    ['throws in its setup', "throw new Error('a fault')", /the module bad cannot be loaded: a fault/],
    ['rejects in its setup', "await Promise.reject(new Error('a fault'))", /the module bad cannot be loaded: a fault/],
  ] as const) {
    it(`one that ${way} is named, and leaves nothing behind`, async () => {
      kit = await ModuleKit.open({ modules: { ping: {} } });
      const bad = writeModule(tempFolder(), 'bad', `${registers} ${code}`);
      await assert.rejects(kit.node.modules.load(bad), told);
      assert.deepEqual(kit.node.modules.leaks(), []);
      assert.equal(kit.node.modules.list().find(({ name }) => name === 'bad')?.state, 'failed');
      const romeo = await kit.session('romeo@localhost/orchard');
      await kit.iq(romeo, xml('ping', { xmlns: 'urn:xmpp:ping' }), { to: 'localhost' });
    });
  }

  it('one whose setup takes too long is named, and what it registers after that is refused', async () => {
    kit = await ModuleKit.open({ clock: true, modules: { ping: {} } });
    const bad = writeModule(
      tempFolder(),
      'bad',
      `${registers} await new Promise(resolve => globalThis.letGo = resolve);
       try { mod.every(10, () => {}); } catch (error) { globalThis.toldLate = error.message; }`,
    );
    const loading = kit.node.modules.load(bad);
    const rejected = assert.rejects(loading, /'bad' did not finish its setup within 10 s/);
    await turn();
    for (let i = 0; i < 50; i++) {
      await turn();
      await kit.clock.tickAsync(500);
    }
    await rejected;
    const { letGo } = globalThis as unknown as { letGo: () => void };
    letGo();
    await turn();
    assert.match((globalThis as unknown as { toldLate: string }).toldLate, /bad is unloaded/);
    assert.deepEqual(kit.node.modules.leaks(), []);
  });

  it('one that fails while it is unloaded is gone all the same', async () => {
    const bad = writeModule(
      tempFolder(),
      'bad',
      `${registers} mod.cleanup(() => { throw new Error('a fault') }); mod.cleanup(() => Promise.reject(new Error('another')));`,
    );
    kit = await ModuleKit.open({ modules: { ping: {}, [bad]: {} } });
    assert.deepEqual(await kit.node.modules.unload('bad'), ['bad']);
    assert.deepEqual(kit.node.modules.leaks(), []);
    assert.deepEqual(
      kit.failures().map(({ module, point, err }) => [module, point, err?.message]),
      [
        ['bad', 'unload', 'another'],
        ['bad', 'unload', 'a fault'],
      ],
    );
  });

  it('one whose unload never ends is left to itself after a while', async () => {
    const bad = writeModule(tempFolder(), 'bad', `${registers} mod.cleanup(() => new Promise(() => {}));`);
    kit = await ModuleKit.open({ clock: true, modules: { ping: {}, [bad]: {} } });
    const unloading = kit.node.modules.unload('bad');
    await turn();
    await kit.clock.tickAsync(10_100);
    assert.deepEqual(await unloading, ['bad']);
    assert.deepEqual(kit.node.modules.leaks(), []);
    assert.equal(kit.failures().length, 1);
  });

  it('one that fails in its store keeps nothing open', async () => {
    const bad = writeModule(
      tempFolder(),
      'bad',
      registers,
      `stores: { things: { migrations: [{ name: '001', up: async () => { throw new Error('no table') } }], open: () => ({}) } },`,
    );
    kit = await ModuleKit.open({ modules: { ping: {} } });
    await assert.rejects(kit.node.modules.load(bad), /the module bad cannot be loaded: .*no table/);
    assert.deepEqual(kit.node.modules.leaks(), []);
  });
});
