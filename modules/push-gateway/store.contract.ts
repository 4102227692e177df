import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import type { Device } from './device.ts';
import { deviceStore, type DeviceStore } from './store.ts';

const ROMEO = parseJid('romeo@example.org')!;
const JULIET = parseJid(`${'j'.repeat(500)}@${'a.'.repeat(100)}example.net`)!;

/** What the store has to do on every database. `open` gives a new, empty one. */
export function deviceStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: DeviceStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('push-gateway/devices', deviceStore.migrations);
    store = await deviceStore.open(storage);
  });
  afterEach(() => storage.close());

  const device = (node: string, changes: Partial<Device> = {}): Device => ({
    node,
    owner: ROMEO,
    channel: 'fcm',
    name: node,
    target: { token: `token of ${node}` },
    secret: `secret of ${node}`,
    registeredAt: 1,
    ...changes,
  });
  const nodes = async (owner = ROMEO) => (await store.of(owner)).map(({ node }) => node);

  it('knows nothing of what nobody registered', async () => {
    assert.equal(await store.get('a'), undefined);
    assert.deepEqual(await nodes(), []);
    assert.equal(await store.remove('a'), false);
  });

  it('gives back what was put, also what is long or in other scripts', async () => {
    const whole = device('Node-_1', {
      owner: JULIET,
      name: 'Ätna 🌹',
      target: { endpoint: `https://x/${'e'.repeat(2000)}`, auth: 'ü' },
      registeredAt: 1_790_000_000_000,
    });
    assert.deepEqual((await store.put(whole, 5)).gone, []);
    const found = (await store.get('Node-_1'))!;
    assert.deepEqual({ ...found, owner: found.owner.full }, { ...whole, owner: JULIET.full });
    assert.equal(await store.get('node-_1'), undefined);
  });

  it('a device that registers again keeps its node and secret, and has another target', async () => {
    await store.put(device('a'), 5);
    await store.put(device('b', { registeredAt: 2 }), 5);
    const { device: again } = await store.put(device('c', { name: 'a', target: { token: 'new' }, registeredAt: 3 }), 5);
    assert.deepEqual([again.node, again.secret, again.target], ['a', 'secret of a', { token: 'new' }]);
    assert.deepEqual((await store.get('a'))!.target, { token: 'new' });
    assert.deepEqual(await nodes(), ['b', 'a']);
    // of another channel, or of somebody else, it is another
    await store.put(device('d', { name: 'a', channel: 'apns', registeredAt: 4 }), 5);
    await store.put(device('e', { name: 'a', owner: JULIET }), 5);
    assert.deepEqual([await nodes(), await nodes(JULIET)], [['b', 'a', 'd'], ['e']]);
  });

  it('keeps no more than so many of an account: those that were registered last', async () => {
    for (const [index, node] of ['a', 'b', 'c'].entries()) await store.put(device(node, { registeredAt: index }), 3);
    assert.deepEqual((await store.put(device('d', { registeredAt: 7 }), 3)).gone, ['a']);
    assert.deepEqual((await store.put(device('e', { name: 'b', registeredAt: 8 }), 3)).gone, []);
    assert.deepEqual(await nodes(), ['c', 'd', 'b']);
    assert.deepEqual((await store.put(device('f', { registeredAt: 9 }), 1)).gone, ['c', 'd', 'b']);
  });

  it('takes one away, if it is still the same, or all of an account', async () => {
    for (const node of ['a', 'b', 'c']) await store.put(device(node), 5);
    await store.put(device('j', { owner: JULIET }), 5);
    assert.equal(await store.remove('a', { token: 'another' }), false);
    assert.equal(await store.remove('a', { token: 'token of a' }), true);
    assert.equal(await store.remove('b'), true);
    assert.deepEqual(await nodes(), ['c']);
    await store.removeAll(ROMEO);
    assert.deepEqual([await nodes(), await nodes(JULIET)], [[], ['j']]);
  });
}
