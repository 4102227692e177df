import assert from 'node:assert/strict';
import type { Packet, Storage } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { tempFolder } from '../../test/kit/temp.ts';
import { DEFAULTS } from './config.ts';
import { expireApplications } from './registration.ts';
import type { Room } from './room.ts';
import { roomStore } from './store.ts';
import type { Application } from './stored.ts';

describe('applications for membership', () => {
  let storage: Storage;
  before(async () => {
    storage = await openStorage({ dataDir: tempFolder() });
    await storage.migrate('rooms/rooms', roomStore.migrations);
  });
  after(() => storage.close());

  it('are forgotten when nobody has decided for too long, and no others', async () => {
    const store = await roomStore.open(storage);
    const jid = parseJid('coven@chat.shakespeare.lit')!;
    const id = await store.create({ jid, creator: jid, config: DEFAULTS, locked: false, created: 1 }, []);
    const applications: Application[] = [10, 20, 30].map(applied => ({
      jid: parseJid(`hag${applied}@shakespeare.lit`)!,
      form: {},
      applied,
    }));
    for (const application of applications) await store.apply(id, application);
    const state = { id, applications };
    const told: Packet[] = [];
    const node = { route: (packet: Packet) => void told.push(packet) };
    const room = { jid, state, config: DEFAULTS, house: { store, node } };
    await expireApplications(room as unknown as Room, 30);
    assert.deepEqual(
      told.map(({ to, from }) => [from.full, to!.full]),
      applications.slice(0, 2).map(({ jid: applicant }) => [jid.full, applicant.full]),
    );
    assert.match(told[0]!.wire(), /not decided upon in time/);
    const kept = (await store.load(jid))!.applications;
    for (const left of [kept, state.applications])
      assert.deepEqual(
        left.map(({ applied }) => applied),
        [30],
      );
  });
});
