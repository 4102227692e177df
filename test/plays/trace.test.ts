import assert from 'node:assert/strict';
import type { Told } from '../../modules/trace/telling.ts';
import { Packet } from '../../src/bus/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { Operations } from '../../src/node/operations.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { ON_SERVER } from '../kit/storage.ts';
import { until } from '../kit/wait.ts';
import { acknowledging } from './messages-acknowledging.ts';
import { idBy } from './archive.ts';

const SM = 'urn:xmpp:sm:3';
const ASK = "<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>";
const SECRET = 'wherefore art thou';

describe('play: an operator asks what became of a message', () => {
  let stage: TestNode;
  let juliet: TestClient;

  async function start(yaml = '', folder?: string): Promise<void> {
    stage = await TestNode.start({ users: folder ? [] : ['romeo', 'juliet', 'nurse'], yaml, folder });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
  }
  afterEach(() => stage.stop());

  /** The same data, after a stop and a start. */
  async function again(yaml = ''): Promise<void> {
    await stage.stop({ keep: true });
    await start(yaml, stage.folder);
  }

  async function trace(id: string, of: { from?: string; to?: string } = {}): Promise<Told> {
    const told = (await new Operations(stage.node).run({ command: 'message.trace', args: { id, ...of } })) as Told;
    assert.doesNotMatch(JSON.stringify(told), new RegExp(SECRET));
    return told;
  }

  /** Waits until a message has come so far: its node knows, and not only the storage, which is a moment ahead. */
  const traced = (id: string, step: string, of?: object): Promise<Told> =>
    until(async () => {
      const told = await trace(id, of).catch(() => undefined);
      const is = (each: Told['steps'][number]) => each.step === step && each.knownFrom !== 'offline storage';
      return told?.steps.some(is) && told;
    }, `the message ${id} to be ${step}`);
  // a database behind a network is asked about people first, and what waits for that goes on when it is committed
  const steps = ({ steps: all }: Told): string[] => {
    const names = all.map(({ step }) => step);
    const [routed, committed] = [names.indexOf('routed'), names.indexOf('committed')];
    if (ON_SERVER && committed >= 0 && routed === committed + 1) names.splice(committed, 2, 'routed', 'committed');
    return names;
  };
  const of = (told: Told, step: string) => told.steps.find(each => each.step === step)!;

  function say(id: string, to = 'romeo@localhost', more = ASK): void {
    juliet.send(`<message type='chat' to='${to}' id='${id}'><body>${SECRET}</body>${more}</message>`);
  }
  const back = (romeo: TestClient, content: string, type = 'chat'): void =>
    romeo.send(`<message type='${type}' to='juliet@localhost/balcony'>${content}</message>`);
  const received = (id: string): string => `<received xmlns='urn:xmpp:receipts' id='${id}'/>`;
  const displayed = (id: string): string => `<displayed xmlns='urn:xmpp:chat-markers:0' id='${id}'/>`;

  it('sent, stored, given to a session, acknowledged, delivered, displayed: each step with its time', async () => {
    await start();
    const before = Date.now();
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    await acknowledging(romeo);
    await juliet.settle();
    say('m1');
    const id = idBy(await romeo.message(), 'romeo@localhost')!;
    const first = await traced('m1', 'acknowledged');
    assert.deepEqual(steps(first), ['accepted', 'routed', 'committed', 'acknowledged']);
    assert.deepEqual(
      [first.id, first.clientId, first.from, first.to, first.state, first.waits],
      [id, 'm1', 'juliet@localhost/balcony', 'romeo@localhost', 'stored', false],
    );
    assert.equal(of(first, 'routed').by, 'romeo@localhost/orchard');
    assert.equal(of(first, 'committed').what, 'the archives of both have it');
    assert.equal(first.safeSince, of(first, 'committed').at);
    const times = first.steps.map(({ at }) => Date.parse(at!));
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert(times[0]! >= before && times.at(-1)! <= Date.now());
    assert(first.notKnown.some(line => line.includes('the receipt that was asked for')));

    back(romeo, received('m1'));
    const delivered = await traced(id, 'delivered');
    assert.deepEqual([delivered.state, of(delivered, 'delivered').by], ['delivered', 'romeo@localhost/orchard']);
    // XEP-0333: what was displayed says so of what was before it too
    say('m2');
    await romeo.message();
    back(romeo, displayed('m2'));
    const seen = await traced(id, 'displayed');
    assert.equal(seen.state, 'displayed');
    assert.deepEqual(seen.notKnown, []);
    assert.deepEqual((await trace('m2')).state, 'displayed');
    assert.deepEqual(steps(seen), ['accepted', 'routed', 'committed', 'acknowledged', 'delivered', 'displayed']);

    // nobody else's word counts
    say('m3');
    const nurse = await stage.login('nurse@localhost/house', { presence: true });
    back(nurse, received('m3'));
    await nurse.settle();
    await juliet.settle();
    assert.equal((await trace('m3')).state, 'stored');
  });

  it('given to a session whose client was away, when that is resumed', async () => {
    await start('modules: { archive: false }');
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    romeo.send(`<enable xmlns='${SM}' resume='true'/>`);
    const { id: previd } = (await romeo.expect(({ name }) => name === 'enabled', 'stream management')).attrs;
    const session = stage.node.user(parseJid(romeo.jid)!)!.sessions[0]!;
    say('seen');
    await romeo.message();
    romeo.socket.destroy();
    await until(() => !session.connected, 'the session to be without a connection');
    say('away', 'romeo@localhost/orchard');
    const waiting = await traced('away', 'queued');
    assert.equal(waiting.state, 'sent');
    assert.equal(of(waiting, 'queued').by, 'romeo@localhost/orchard');

    const next = await stage.connect();
    await next.authenticate('romeo');
    next.send(`<resume xmlns='${SM}' previd='${previd}' h='0'/>`);
    await next.expect(({ name }) => name === 'resumed', 'to be resumed');
    assert.equal((await next.message()).attrs.id, 'seen');
    await next.message();
    for (const one of ['seen', 'away']) assert.equal(of(await traced(one, 'resumed'), 'resumed').by, romeo.jid);
    next.send(`<a xmlns='${SM}' h='1'/>`);
    await traced('seen', 'acknowledged');
    assert(!steps(await trace('away')).includes('acknowledged'));
    next.send(`<a xmlns='${SM}' h='2'/>`);
    assert.deepEqual(steps(await traced('away', 'acknowledged')), ['accepted', 'queued', 'resumed', 'acknowledged']);
  });

  it('waiting offline, and handed over', async () => {
    await start();
    say('m1');
    const waiting = await traced('m1', 'offline');
    assert.deepEqual(steps(waiting), ['accepted', 'committed', 'offline']);
    assert.deepEqual([waiting.state, waiting.waits], ['stored', true]);
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    await romeo.message();
    const given = await traced('m1', 'written');
    assert.deepEqual(steps(given), ['accepted', 'committed', 'offline', 'routed', 'written']);
    await until(async () => !(await trace('m1')).waits, 'the message to leave the store');
  });

  it('stored beside an outbox whose client is silent, and elsewhere when its session ends', async () => {
    await start('sessions: { durable: false }\nmodules: { archive: false }');
    await acknowledging(juliet);
    const romeo = await stage.login('romeo@localhost/orchard');
    (await acknowledging(romeo)).stop();
    romeo.send('<presence/>');
    await romeo.settle();
    say('m1');
    const kept = await traced('m1', 'offline');
    assert.deepEqual([steps(kept), kept.state, kept.waits], [['accepted', 'routed', 'offline'], 'stored', true]);
    assert.equal(kept.safeSince, of(kept, 'offline').at);
    stage.node.closeSessions(parseJid(romeo.jid)!, { condition: 'policy-violation' });
    const next = await stage.login('romeo@localhost/street', { presence: true });
    await next.message();
    const told = await traced('m1', 'written');
    assert.deepEqual(steps(told), ['accepted', 'routed', 'offline', 'left', 'routed', 'written']);
    assert.equal(told.steps.at(-1)!.by, 'romeo@localhost/street');
  });

  it('refused: by the server, and by the client', async () => {
    await start();
    for (const [id, to, condition] of [
      ['a', 'nobody@localhost', 'service-unavailable'],
      ['b', 'somebody@elsewhere.example', 'remote-server-not-found'],
    ] as const) {
      say(id, to);
      const told = await traced(id, 'refused');
      assert.equal(told.state, 'refused');
      assert.equal(of(told, 'refused').by, condition);
    }
    await juliet.iq('set', "<block xmlns='urn:xmpp:blocking'><item jid='nurse@localhost'/></block>");
    say('c', 'nurse@localhost');
    const blocked = await traced('c', 'refused');
    assert.deepEqual([steps(blocked), blocked.state, blocked.id], [['refused'], 'refused', null]);

    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    say('d', 'romeo@localhost/orchard');
    await romeo.message();
    const error = "<error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    romeo.send(`<message type='error' id='d' to='juliet@localhost/balcony'>${error}</message>`);
    const told = await traced('d', 'refused');
    assert.deepEqual([told.state, of(told, 'refused').by], ['refused', 'romeo@localhost/orchard']);
  });

  it('from elsewhere, and of the server’s own', async () => {
    await start();
    const message = "<message type='chat' id='far'><body>x</body></message>";
    for (const [from, name] of [
      ['paris@elsewhere.example/x', 'far'],
      ['localhost', 'own'],
    ] as const) {
      const wire = message.replace('far', name);
      await stage.node.route(Packet.fromWire(wire, parseJid(from)!, parseJid('romeo@localhost')!));
      const told = await traced(name, 'offline');
      assert.deepEqual([steps(told), told.from], [['accepted', 'committed', 'offline'], from]);
      assert.equal(of(told, 'committed').what, "its recipient's archive has it");
    }
  });

  it('after a start, by what is stored', async () => {
    await start();
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    say('m1');
    say('m2');
    const id = idBy(await romeo.message(), 'romeo@localhost')!;
    await romeo.message();
    back(romeo, received('m1'));
    back(romeo, displayed('m2'));
    await traced(id, 'displayed');
    const accepted = of(await trace(id), 'accepted').at!;
    say('m3', 'nurse@localhost', '');
    await traced('m3', 'offline');
    await again();

    const told = await trace(id);
    assert.deepEqual(steps(told), ['accepted', 'committed', 'delivered', 'displayed']);
    assert(told.steps.every(({ knownFrom }) => knownFrom === 'archive'));
    assert.equal(of(told, 'committed').at, null);
    assert(Math.abs(Date.parse(of(told, 'accepted').at!) - Date.parse(accepted)) < 1000);
    assert.equal(of(told, 'delivered').by, 'romeo@localhost/orchard');
    assert.deepEqual([told.state, told.clientId, told.waits], ['displayed', 'm1', false]);
    assert(told.notKnown.some(line => line.startsWith('to which sessions it went')));

    for (const [from, to] of [
      ['juliet@localhost', undefined],
      [undefined, 'romeo@localhost'],
      ['juliet@localhost/balcony', 'romeo@localhost'],
    ])
      assert.equal((await trace('m1', { ...(from && { from }), ...(to && { to }) })).id, id);
    await assert.rejects(trace('m1'), /with --from or --to/);
    await assert.rejects(trace('m1', { from: 'romeo@localhost' }), /no archive of these addresses/);
    await assert.rejects(trace('m1', { from: 'juliet@localhost', to: 'nurse@localhost' }), /no message/);

    const late = await trace('m3', { to: 'nurse@localhost' });
    assert.deepEqual([steps(late), late.waits, late.state], [['accepted', 'committed', 'offline'], true, 'stored']);
    assert.equal(of(late, 'offline').knownFrom, 'offline storage');
    assert(late.notKnown.some(line => line.includes('asked for no receipt')));
  });

  it('by a client’s own id only where that is one message’s', async () => {
    await start();
    say('1');
    say('1', 'nurse@localhost');
    await traced('1', 'offline', { to: 'nurse@localhost' });
    await assert.rejects(trace('1'), /2 messages have the id '1'; --from and --to.*\n {2}[0-9a-v]{21} {2}juliet@/);
    assert.equal((await trace('1', { to: 'romeo@localhost' })).to, 'romeo@localhost');
    say('x', 'romeo@localhost', "<origin-id xmlns='urn:xmpp:sid:0' id='origin'/>");
    assert.equal((await traced('origin', 'offline')).id, (await trace('x')).id);
    await assert.rejects(trace('1', { to: '@' }), /'@' is not an address/);
    await assert.rejects(trace('zzz'), /no message with the id 'zzz' is known/);
    const { failures } = stage.node.modules.list().find(({ name }) => name === 'trace')! as { failures?: number };
    assert.equal(failures ?? 0, 0);
  });

  it('of as many messages as the configuration says; of earlier ones by what is stored', async () => {
    await start('modules: { trace: { messages: 100 } }');
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    for (let n = 0; n < 150; n++) say(`n${n}`);
    for (let n = 0; n < 150; n++) await romeo.message();
    await traced('n149', 'written');
    await assert.rejects(trace('n0'), /the last 100 messages are remembered/);
    const told = await trace('n0', { from: 'juliet@localhost' });
    assert.deepEqual(steps(told), ['accepted', 'committed']);
    assert(told.notKnown.some(line => line.includes('the last 100 messages are remembered')));
    assert.deepEqual(steps(await trace('n60')), ['accepted', 'routed', 'committed', 'written']);
  });

  it('not, where the module is off', async () => {
    await start('modules: { trace: false }');
    say('m1');
    await juliet.settle();
    await assert.rejects(trace('m1'), /the module 'trace' is off/);
  });
});
