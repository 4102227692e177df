import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { xml } from '../../src/xml/index.ts';
import { ModuleKit } from './index.ts';

const PING = 'urn:xmpp:ping';

describe('ModuleKit', () => {
  it('carries a message from one session to another', async () => {
    const kit = await ModuleKit.open({ modules: { messages: {} } });
    const romeo = await kit.session('romeo@localhost/orchard');
    const juliet = await kit.session('juliet@localhost/balcony', { presence: 0 });
    await kit.receive(romeo, `<message to='juliet@localhost' type='chat'><body>Wherefore?</body></message>`);
    const message = await juliet.next();
    assert.equal(message.attrs.from, 'romeo@localhost/orchard');
    assert.equal(message.getChildText('body'), 'Wherefore?');
    assert.deepEqual(juliet.fresh(), []);
    await kit.close();
    assert(!existsSync(kit.folder));
  });

  it('asks, and is answered or refused', async () => {
    const kit = await ModuleKit.open({ modules: { ping: {} } });
    const romeo = await kit.session('romeo@localhost/orchard');
    assert.equal(await kit.iq(romeo, xml('ping', { xmlns: PING }), { to: 'localhost' }), undefined);
    const refusal = await kit.refused(romeo, xml('query', { xmlns: 'urn:example:nothing' }), { to: 'localhost' });
    assert.equal(refusal.condition, 'service-unavailable');
    await assert.rejects(kit.iq(romeo, xml('query', { xmlns: 'urn:example:nothing' })), /refused/);
    await kit.close();
  });

  it('closes a session that speaks for another', async () => {
    const kit = await ModuleKit.open();
    const romeo = await kit.session('romeo@localhost/orchard');
    await kit.receive(romeo, `<message from='juliet@localhost' to='romeo@localhost'/>`);
    assert.equal(romeo.error?.condition, 'invalid-from');
    assert(!romeo.alive);
    await kit.close();
  });

  it('keeps what is stored over a restart', async () => {
    const kit = await ModuleKit.open({ modules: { messages: {}, 'stanza-id': {}, offline: {} } });
    await kit.account('juliet@localhost');
    const romeo = await kit.session('romeo@localhost/orchard');
    await kit.receive(romeo, `<message to='juliet@localhost' type='chat'><body>Good night</body></message>`);
    assert.deepEqual(romeo.fresh(), []);
    await kit.restart();
    const juliet = await kit.session('juliet@localhost/balcony', { presence: 0 });
    assert.equal((await juliet.next()).getChildText('body'), 'Good night');
    await kit.close();
  });

  it('takes a cut session up again', async () => {
    const kit = await ModuleKit.open({ modules: { messages: {} } });
    const romeo = await kit.session('romeo@localhost/orchard');
    const juliet = await kit.session('juliet@localhost/balcony', { presence: 0, resumption: 60 });
    juliet.cut();
    await kit.receive(romeo, `<message to='juliet@localhost' type='chat'><body>One</body></message>`);
    assert(juliet.alive && !juliet.connected);
    assert(juliet.resume(0));
    assert.equal((await juliet.next()).getChildText('body'), 'One');
    await kit.close();
  });

  it('lets no time pass but what the test lets', async () => {
    const kit = await ModuleKit.open({ clock: 1_000, modules: { messages: {}, 'stanza-id': {}, offline: {} } });
    const romeo = await kit.session('romeo@localhost/orchard');
    assert.equal(romeo.since, 1_000);
    await kit.clock.tickAsync(500);
    assert.equal((await kit.session('romeo@localhost/garden')).since, 1_500);
    await kit.close();
  });
});
