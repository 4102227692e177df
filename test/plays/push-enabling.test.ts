import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import {
  cut,
  enable,
  error,
  form,
  NODE,
  OWN,
  publishOptions,
  PUBSUB,
  PUSH,
  PushService,
  resumable,
  say,
  SERVICE,
  street,
} from './push.ts';
import { features, INFO, ok } from './verona.ts';

describe('play: push notifications are enabled and published (XEP-0357)', () => {
  let stage: TestNode;
  let service: PushService;
  let romeo: TestClient;
  const start = async (options = '{ pause: 0 }', more = ''): Promise<void> => {
    stage = await street(options, more);
    service = await PushService.open(stage);
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
  };
  afterEach(async () => {
    service.destroy();
    await stage.stop();
  });
  /** Juliet's phone registers, and goes. */
  const away = async (...payloads: string[]): Promise<void> => {
    const phone = await stage.login('juliet@localhost/phone', { presence: true });
    for (const payload of payloads) ok(await phone.iq('set', payload));
    await phone.end();
  };
  const nothing = async (): Promise<void> => {
    await romeo.settle();
    // what is not told can only be waited for
    await new Promise(resolve => setTimeout(resolve, 150));
    assert.deepEqual(service.told, []);
  };

  it('3.1: the account shows the feature; where the module is off it does not', async () => {
    await start();
    assert.ok(features(await romeo.iq('get', INFO, 'romeo@localhost')).includes(PUSH));
    await stage.stop();
    stage = await street('false');
    const nurse = await stage.login('nurse@localhost/home');
    assert.ok(!features(await nurse.iq('get', INFO, 'nurse@localhost')).includes(PUSH));
    assert.equal(condition(await nurse.iq('set', enable())), 'service-unavailable');
  });

  it('4, 6: what comes for somebody who is offline is published to the node, from the server, as a summary without content', async () => {
    await start();
    await away(enable());
    say(romeo, 'Wherefore');
    const told = await service.next();
    assert.deepEqual([told.iq.attrs.from, told.iq.attrs.to, told.iq.attrs.type], ['localhost', SERVICE, 'set']);
    assert.equal(told.node, NODE);
    assert.deepEqual(told.summary, { 'message-count': '1' });
    assert.equal(told.iq.getChild('pubsub', PUBSUB)!.getChild('publish-options'), undefined);
    say(romeo, 'art thou');
    assert.equal((await service.next()).count, 2);
  });

  it('4, 6: publish options are given back as they came; the last request for a node counts', async () => {
    await start();
    const many = form(`${PUBSUB}#publish-options`, { secret: 'b &lt;&amp; 🌹' }).replace(
      '</x>',
      `<field var='topics'><value>1</value><value>2</value></field></x>`,
    );
    await away(enable(publishOptions({ secret: 'a' })), enable(many));
    say(romeo, 'Hi');
    const told = await service.next();
    const x = told.iq.getChild('pubsub', PUBSUB)!.getChild('publish-options')!.getChild('x')!;
    assert.deepEqual(
      x.getChildren('field').map(field => [field.attrs.var, ...field.getChildren('value').map(String)]),
      [
        ['FORM_TYPE', `<value>${PUBSUB}#publish-options</value>`],
        ['secret', '<value>b &lt;&amp; 🌹</value>'],
        ['topics', '<value>1</value>', '<value>2</value>'],
      ],
    );
    await nothing();
  });

  it('4: requests that cannot be are refused, each with its reason', async () => {
    await start();
    const refused = async (payload: string): Promise<string> => condition(await romeo.iq('set', payload));
    assert.equal(await refused(`<enable xmlns='${PUSH}' node='a'/>`), 'bad-request');
    assert.equal(await refused(`<disable xmlns='${PUSH}'/>`), 'bad-request');
    assert.equal(await refused(enable('', 'a', 'a@@b')), 'jid-malformed');
    assert.equal(await refused(`<disable xmlns='${PUSH}' jid='@'/>`), 'jid-malformed');
    for (const own of ['localhost', 'juliet@localhost', 'juliet@localhost/phone'])
      assert.equal(await refused(enable('', 'a', own)), 'not-allowed');
    assert.equal(await refused(enable('', 'n'.repeat(1025))), 'not-acceptable');
    assert.equal(await refused(enable(publishOptions({ secret: 's'.repeat(9000) }))), 'not-acceptable');
    assert.equal(await refused(enable(form(OWN, { content: 'everything' }))), 'not-acceptable');
    assert.equal(await refused(enable(form(OWN, { away: 'perhaps' }))), 'not-acceptable');
    // for another account, or by a get
    const other = await romeo.iq('set', enable(), 'juliet@localhost');
    assert.equal(condition(other), 'service-unavailable');
    assert.equal(condition(await romeo.iq('get', enable())), 'service-unavailable');
    ok(await romeo.iq('set', enable(form('urn:example:unknown', { x: 'y' }))));
  });

  it('4: an account that ends with its session has none', async () => {
    stage = await TestNode.start({ yaml: 'hosts: { localhost: { anonymous: true } }' });
    service = { destroy: () => {} } as PushService;
    const client = await stage.connect();
    await client.open();
    client.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>`);
    await client.expect(({ name }) => name === 'success', 'success');
    await client.open();
    await client.bind('x');
    assert.equal(condition(await client.iq('set', enable())), 'not-allowed');
  });

  it('4: several nodes of an account are all told, up to the limit: then the oldest goes', async () => {
    await start('{ pause: 0, perUser: 2 }');
    await away(enable('', 'a'), enable('', 'b'), enable('', 'c'));
    say(romeo, 'Hi');
    const nodes = [await service.next(), await service.next()].map(({ node }) => node);
    assert.deepEqual(new Set(nodes), new Set(['b', 'c']));
    await nothing();
  });

  it('5: one node is disabled, or all of a service; what is disabled is told nothing', async () => {
    await start();
    const disable = (inner: string): string => `<disable xmlns='${PUSH}' jid='${SERVICE}' ${inner}/>`;
    await away(enable('', 'a'), enable('', 'b'), disable(`node='a'`), disable(`node='never'`));
    say(romeo, 'one');
    assert.equal((await service.next()).node, 'b');
    await nothing();
    await away(enable('', 'a'), disable(''));
    say(romeo, 'two');
    await nothing();
  });

  it('6: how many contact requests wait is told, and that one came', async () => {
    await start();
    await away(enable());
    romeo.send(`<presence to='juliet@localhost' type='subscribe'/>`);
    assert.deepEqual((await service.next()).summary, { 'message-count': '0', 'pending-subscription-count': '1' });
    // the same one again is nothing new
    romeo.send(`<presence to='juliet@localhost' type='subscribe'/>`);
    await nothing();
    say(romeo, 'Hi');
    assert.deepEqual((await service.next()).summary, { 'message-count': '1', 'pending-subscription-count': '1' });
  });

  it('6, 9: sender and text only where the host allows it and the device does not want less', async () => {
    await start('{ pause: 0, content: body }');
    await away(
      enable('', 'all'),
      enable(form(OWN, { content: 'sender' }), 'some'),
      enable(form(OWN, { content: 'none' }), 'none'),
    );
    say(romeo, 'a &amp; b 🌹');
    const told = new Map<string | undefined, object>();
    for (let i = 0; i < 3; i++) {
      const { node, summary } = await service.next();
      told.set(node, summary);
    }
    const sender = { 'last-message-sender': 'romeo@localhost/orchard' };
    assert.deepEqual(told.get('all'), { 'message-count': '1', ...sender, 'last-message-body': 'a & b 🌹' });
    assert.deepEqual(told.get('some'), { 'message-count': '1', ...sender });
    assert.deepEqual(told.get('none'), { 'message-count': '1' });
  });

  it('9: a device cannot have more than the host gives', async () => {
    await start('{ pause: 0, content: sender }');
    await away(enable(form(OWN, { content: 'body' })));
    say(romeo, 'secret');
    assert.deepEqual((await service.next()).summary, {
      'message-count': '1',
      'last-message-sender': 'romeo@localhost/orchard',
    });
  });

  it('7: an error of the service ends a registration', async () => {
    await start();
    await away(enable('', 'a'), enable('', 'b'));
    service.answer = ({ node }) => (node === 'a' ? error('item-not-found') : undefined);
    say(romeo, 'one');
    await service.next();
    await service.next();
    await until(async () => (await rows(stage)) === 1, 'the registration to end');
    say(romeo, 'two');
    assert.equal((await service.next()).node, 'b');
    await nothing();
  });

  it('7: one that may pass by itself is borne, a while: then the registration ends too', async function () {
    this.timeout(60_000);
    await start('{ pause: 0, failures: 3 }');
    await away(enable());
    const answers = [error('resource-constraint', 'wait'), error('internal-server-error')];
    service.answer = () => answers.shift();
    say(romeo, 'one');
    for (let i = 0; i < 3; i++)
      assert.equal((await until(() => service.told.shift(), 'another attempt', 15_000)).count, 1);
    // it was taken, and the failures are forgotten
    say(romeo, 'two');
    assert.equal((await service.next()).count, 2);
    service.answer = () => error('service-unavailable');
    say(romeo, 'three');
    for (let i = 0; i < 3; i++) await until(() => service.told.shift(), 'another attempt', 15_000);
    await until(async () => (await rows(stage)) === 0, 'the registration to end');
  });

  it('7: a service that does not answer keeps nobody waiting but its own devices, and what comes meanwhile is told once', async () => {
    await start('{ pause: 0, timeout: 600 }');
    await away(enable('', 'slow'), enable('', 'quick'));
    service.answer = ({ node }) => (node === 'slow' ? 'nothing' : undefined);
    say(romeo, 'one');
    const first = [await service.next(), await service.next()];
    const waiting = first.find(({ node }) => node === 'slow')!;
    for (let i = 2; i <= 5; i++) {
      say(romeo, 'x'.repeat(i));
      const told = await service.next();
      assert.deepEqual([told.node, told.count], ['quick', i]);
    }
    service.reply(waiting);
    const again = await service.next();
    assert.deepEqual([again.node, again.count], ['slow', 5]);
    await nothing();
  }).timeout(30_000);

  it('7: no answer at all counts as a failure, and is tried again', async function () {
    this.timeout(60_000);
    await start('{ pause: 0, timeout: 1, failures: 2 }');
    await away(enable());
    service.answer = () => 'nothing';
    say(romeo, 'one');
    for (let i = 0; i < 2; i++) await until(() => service.told.shift(), 'another attempt', 20_000);
    await until(async () => (await rows(stage)) === 0, 'the registration to end', 20_000);
  });

  it('7: an answer of anybody else is none', async () => {
    await start('{ pause: 0, timeout: 600 }');
    await away(enable());
    service.answer = () => 'nothing';
    say(romeo, 'one');
    const told = await service.next();
    romeo.send(`<iq type='error' id='${told.iq.attrs.id}' to='localhost'/>`);
    service.send(
      `<iq type='error' id='${told.iq.attrs.id}' from='x@${SERVICE}' to='localhost'><error type='cancel'/></iq>`,
    );
    await romeo.settle();
    assert.equal(await rows(stage), 1);
    service.reply(told);
    say(romeo, 'two');
    assert.equal((await service.next()).count, 2);
  });

  it('8: a service that takes back what it allowed is told nothing any more, and nobody else is believed', async () => {
    await start();
    await away(enable('', 'a'), enable('', 'b'));
    const withdraw = (node: string, jid = 'juliet@localhost', affiliation = 'none'): string =>
      `<message from='${SERVICE}' to='juliet@localhost'><pubsub xmlns='${PUBSUB}' node='${node}'>` +
      `<affiliation jid='${jid}' affiliation='${affiliation}'/></pubsub></message>`;
    romeo.send(withdraw('a').replace(` from='${SERVICE}'`, ''));
    service.send(withdraw('b', 'juliet@localhost', 'publish-only') + withdraw('b', 'romeo@localhost'));
    service.send(withdraw('a'));
    await until(async () => (await rows(stage)) === 1, 'the registration to end');
    say(romeo, 'one');
    assert.equal((await service.next()).node, 'b');
    await nothing();
  });

  it('registrations are there after a start, and go with the account', async () => {
    await start();
    await away(enable(publishOptions({ secret: 'x' })));
    service.destroy();
    const { folder } = stage;
    await stage.stop({ keep: true });
    stage = await TestNode.start({
      folder,
      yaml: `modules: { push: { pause: 0 }, component: { components: { ${SERVICE}: { secret: sesame } } } }\n`,
    });
    service = await PushService.open(stage);
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    say(romeo, 'Hi');
    const told = await service.next();
    assert.ok(told.iq.getChild('pubsub', PUBSUB)!.getChild('publish-options'));
    await stage.node.accounts.remove(parseJid('juliet@localhost')!);
    assert.equal(await rows(stage), 0);
  });

  it('many messages are told in few notifications', async () => {
    await start('{ pause: 1 }');
    await away(enable());
    for (let i = 0; i < 50; i++) say(romeo, `message ${i}`);
    await romeo.settle();
    const counts: number[] = [];
    while (counts.at(-1) !== 50) counts.push((await service.next()).count);
    assert.ok(counts.length <= 4, `told ${counts.join()}`);
  });

  it('a session that ends counts nothing twice', async () => {
    await start();
    const phone = await stage.login('juliet@localhost/phone', { presence: true });
    ok(await phone.iq('set', enable()));
    await resumable(phone);
    await cut(stage, phone);
    say(romeo, 'one');
    assert.equal((await service.next()).count, 1);
    stage.node.closeSessions(parseJid('juliet@localhost')!, { condition: 'policy-violation' });
    await nothing();
    say(romeo, 'two');
    assert.equal((await service.next()).count, 2);
  });
});

async function rows(stage: TestNode): Promise<number> {
  const found = (await stage.node.storage.read(q => q('push_registrations').select('id'))) as unknown[];
  return found.length;
}
