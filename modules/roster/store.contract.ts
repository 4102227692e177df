import assert from 'node:assert/strict';
import type { Storage } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import type { RosterItem } from './contract.ts';
import { PAGE, REMOVALS, rosterStore, type RosterStore } from './store.ts';

const ROMEO = 'romeo@example.org';

function item(text: string, more: Partial<RosterItem> = {}): RosterItem {
  const address = parseJid(text)!;
  return {
    jid: address.full,
    address,
    name: undefined,
    subscription: 'none',
    ask: false,
    approved: false,
    groups: [],
    ...more,
  };
}

/** What the store has to do on every database. `open` gives a new, empty one. */
export function rosterStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: RosterStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('roster/items', rosterStore.migrations);
    store = await rosterStore.open(storage);
  });
  afterEach(() => storage.close());

  const put = (contact: RosterItem, version: number) => store.put(ROMEO, contact.jid, contact, version);
  const items = async (account = ROMEO) => [...(await store.load(account)).items.values()];

  it('an account that has none has an empty roster', async () => {
    assert.deepEqual(await store.load(ROMEO), { items: new Map(), size: 0, version: 0, floor: 0 });
  });

  it('keeps all of an item', async () => {
    const juliet = item('juliet@example.org', {
      name: 'Юлия 🌹',
      subscription: 'both',
      approved: true,
      groups: ['Lovers', 'Née "Capulet"'],
    });
    const nurse = item('nurse@example.org', { ask: true });
    const transport = item('transport.example.org');
    await put(juliet, 1);
    await put(nurse, 2);
    await put(transport, 3);
    assert.deepEqual(await items(), [juliet, nurse, transport]);
    assert.deepEqual(await items('juliet@example.org'), []);
  });

  it('addresses come back as they were, however long', async () => {
    const long = item(`${'x'.repeat(1000)}@${'y'.repeat(60)}.example.org`);
    const other = item(`${'x'.repeat(999)}z@${'y'.repeat(60)}.example.org`);
    await put(long, 1);
    await put(other, 2);
    await put({ ...long, name: 'again' }, 3);
    const [second, first] = await items();
    assert.equal(second!.jid, other.jid);
    assert.deepEqual(
      [first!.address.local, first!.address.domain, first!.name],
      [long.address.local, long.address.domain, 'again'],
    );
  });

  it('an item that is put again takes the place of the old one', async () => {
    await put(item('juliet@example.org', { name: 'Juliet', groups: ['x'] }), 1);
    await put(item('juliet@example.org', { subscription: 'to' }), 2);
    const roster = await store.load(ROMEO);
    assert.deepEqual([...roster.items.values()], [item('juliet@example.org', { subscription: 'to' })]);
    assert.equal(roster.version, 2);
  });

  it('an item that is removed is gone, and comes back', async () => {
    await put(item('juliet@example.org', { name: 'Juliet' }), 1);
    await store.put(ROMEO, 'juliet@example.org', undefined, 2);
    assert.deepEqual(await items(), []);
    await put(item('juliet@example.org'), 3);
    assert.deepEqual(await items(), [item('juliet@example.org')]);
  });

  it('tells what changed since a version, each contact once, in the order of the last changes', async () => {
    await put(item('a@example.org'), 10);
    await put(item('b@example.org'), 11);
    await put(item('c@example.org'), 12);
    await put(item('a@example.org', { name: 'A' }), 13);
    await store.put(ROMEO, 'b@example.org', undefined, 14);
    assert.deepEqual(await store.changedSince(ROMEO, 11, 10), [
      { contact: 'c@example.org', version: 12 },
      { contact: 'a@example.org', version: 13 },
      { contact: 'b@example.org', version: 14 },
    ]);
    assert.equal((await store.changedSince(ROMEO, 11, 2)).length, 2);
    assert.deepEqual(await store.changedSince(ROMEO, 14, 10), []);
  });

  it('knows from which version on it knows all changes', async () => {
    assert.equal(await put(item('a@example.org'), 100), 100);
    assert.equal(await put(item('b@example.org'), 101), 100);
    for (let i = 0; i <= REMOVALS; i++) {
      await put(item(`gone${i}@example.org`), 200 + 2 * i);
      await store.put(ROMEO, `gone${i}@example.org`, undefined, 201 + 2 * i);
    }
    // the first removal is forgotten
    const roster = await store.load(ROMEO);
    assert.equal(roster.floor, 201);
    assert.equal((await store.changedSince(ROMEO, 201, 1000)).length, REMOVALS);
    assert.deepEqual([...roster.items.keys()], ['a@example.org', 'b@example.org']);
  });

  it('gives a long roster whole, letting others have their turn', async () => {
    const size = 2 * PAGE + 17;
    const names = Array.from({ length: size }, (_, i) => `contact${i}@example.org`);
    await Promise.all(names.map((name, i) => put(item(name), i + 1)));
    const loading = store.load(ROMEO);
    assert.ok(loading instanceof Promise);
    assert.deepEqual([...(await loading).items.keys()], names);
    assert.equal((await loading).version, size);
  });

  it('an ordinary roster is there at once, where the database is in the process', async () => {
    await put(item('juliet@example.org'), 1);
    if (storage.dialect === 'sqlite') assert.ok(!(store.load(ROMEO) instanceof Promise));
  });

  it('goes with its account, and no other', async () => {
    await put(item('juliet@example.org'), 1);
    await store.put('paris@example.org', 'juliet@example.org', item('juliet@example.org'), 1);
    await store.removeAll(ROMEO);
    assert.deepEqual(await store.load(ROMEO), { items: new Map(), size: 0, version: 0, floor: 0 });
    assert.equal((await items('paris@example.org')).length, 1);
  });
}
