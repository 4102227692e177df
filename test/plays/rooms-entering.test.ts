import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { cave, enter, error, presences, ROOM, told, X } from './rooms.ts';

describe('play: entering a room (XEP-0045 7.2)', () => {
  let stage: TestNode;
  let crone: TestClient;
  let hag: TestClient;
  beforeEach(async () => {
    stage = await cave();
    crone = await stage.login('crone1@localhost/desktop', { presence: true });
    hag = await stage.login('hag66@localhost/pda', { presence: true });
  });
  afterEach(() => stage.stop());

  it('who enters a room that is not there makes it, and owns it (10.1.1)', async () => {
    const [presence] = await enter(crone, 'firstwitch');
    assert.equal(told(presence!), 'firstwitch owner/moderator crone1 110,170,201');
    assert.equal(presence!.attrs.to, 'crone1@localhost/desktop');
  });

  it('a room that is being made is there for nobody else (7.2.11)', async () => {
    await enter(crone, 'firstwitch');
    hag.send(`<presence id='n13mt3l' to='${ROOM}/thirdwitch'>${X}</presence>`);
    const refused = await hag.presence(`${ROOM}/thirdwitch`, 'error');
    assert.equal(error(refused), 'item-not-found cancel');
    assert.equal(refused.getChild('error')?.attrs.by, ROOM);
    assert.equal(refused.attrs.id, 'n13mt3l');
    assert.deepEqual(await presences(crone), []);
  });
});
