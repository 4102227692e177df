import assert from 'node:assert/strict';
import path from 'node:path';
import { type Element, xml } from '../../src/xml/index.ts';
import { type KitSession, ModuleKit } from '../kit/index.ts';

const NS = 'http://jabber.org/protocol/commands';

describe('sessions of ad-hoc commands (XEP-0050 3.3)', () => {
  let kit: ModuleKit;
  let romeo: KitSession;
  const open = async (options: object): Promise<void> => {
    const order = path.join(import.meta.dirname, 'commands-order.ts');
    kit = await ModuleKit.open({ clock: true, modules: { disco: {}, commands: options, [order]: {} } });
    romeo = await kit.session('romeo@localhost/orchard');
  };
  afterEach(() => kit.close());

  const run = async (session?: string, who = romeo): Promise<Element> => {
    const command = xml('command', { xmlns: NS, node: 'order', sessionid: session });
    const answer = await kit.ask(who, command, { type: 'set', to: 'localhost' });
    return answer.getChild(answer.attrs.type === 'error' ? 'error' : 'command')!;
  };
  const conditions = (error: Element) => error.getChildElements().flatMap(({ name }) => (name === 'text' ? [] : name));

  it('end when nobody goes on with them for some time', async () => {
    await open({ timeout: 60 });
    const { sessionid } = (await run()).attrs;
    await kit.clock.tickAsync(50_000);
    assert.equal((await run(sessionid)).attrs.status, 'executing');
    // touched: the time begins anew
    await kit.clock.tickAsync(50_000);
    assert.equal((await run(sessionid)).attrs.status, 'completed');
    const { sessionid: other } = (await run()).attrs;
    await kit.clock.tickAsync(91_000);
    assert.deepEqual(conditions(await run(other)), ['not-allowed', 'session-expired']);
    // and are forgotten at last
    await kit.clock.tickAsync(200_000);
    assert.deepEqual(conditions(await run(other)), ['bad-request', 'bad-sessionid']);
  });

  it('are bounded for each account, and end with the resource that ran them', async () => {
    await open({ perAccount: 2, executions: 3 });
    await run();
    await run();
    assert.deepEqual(conditions(await run()), ['resource-constraint']);
    const chamber = await kit.session('romeo@localhost/chamber');
    assert.deepEqual(conditions(await run(undefined, chamber)), ['resource-constraint']);
    const juliet = await kit.session('juliet@localhost/balcony');
    assert.equal((await run(undefined, juliet)).attrs.status, 'executing');
    // of all together
    const nurse = await kit.session('nurse@localhost/x');
    assert.deepEqual(conditions(await run(undefined, nurse)), ['resource-constraint']);
    romeo.close({ condition: 'policy-violation' });
    assert.equal((await run(undefined, nurse)).attrs.status, 'executing');
    assert.equal((await run(undefined, chamber)).attrs.status, 'executing');
  });
});
