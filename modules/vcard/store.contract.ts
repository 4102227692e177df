import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { vcardStore, type VcardStore } from './store.ts';

const ROMEO = parseJid('romeo@example.org')!;
const JULIET = parseJid('juliet@example.org')!;

/** What the store has to do on every database. `open` gives a new, empty one. */
export function vcardStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: VcardStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('vcard/cards', vcardStore.migrations);
    store = await vcardStore.open(storage);
  });
  afterEach(() => storage.close());

  it('knows no card of who has none', async () => {
    assert.equal(await store.get(ROMEO), undefined);
  });

  it('gives back the card that was set, byte for byte, and keeps accounts apart', async () => {
    const card = Buffer.from('<vCard><FN>Ромео 🌹 &amp; "co"</FN></vCard>').toString('latin1');
    await store.set(ROMEO, card);
    await store.set(JULIET, '<vCard/>');
    assert.equal(await store.get(ROMEO), card);
    assert.equal(await store.get(JULIET), '<vCard/>');
  });

  it('the last one counts, also when several are set at once', async () => {
    await Promise.all([1, 2, 3, 4, 5].map(n => store.set(ROMEO, `<vCard>${n}</vCard>`)));
    assert.equal(await store.get(ROMEO), '<vCard>5</vCard>');
  });

  it('keeps a large card', async () => {
    const card = `<vCard>${'x'.repeat(1_000_000)}</vCard>`;
    await store.set(ROMEO, card);
    assert.equal((await store.get(ROMEO))!.length, card.length);
  });

  it('goes with its account, and no other', async () => {
    await store.set(ROMEO, '<vCard>R</vCard>');
    await store.set(JULIET, '<vCard>J</vCard>');
    await store.remove(ROMEO);
    assert.equal(await store.get(ROMEO), undefined);
    assert.equal(await store.get(JULIET), '<vCard>J</vCard>');
  });
}
