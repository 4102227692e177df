import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { cave, enter, error, make, presences, ROOM, told, witches } from './rooms.ts';

const BLOCKING = 'urn:xmpp:blocking';

async function change(client: TestClient, name: 'block' | 'unblock', jid: string): Promise<void> {
  const answer = await client.iq('set', `<${name} xmlns='${BLOCKING}'><item jid='${jid}'/></${name}>`);
  assert.equal(answer.attrs.type, 'result', String(answer));
}

/** What a client has heard in the room until now: bodies of messages, and presence in short. */
async function heard(client: TestClient): Promise<string[]> {
  return (await client.settle()).map(stanza =>
    stanza.name === 'message' ? (stanza.getChildText('body') ?? stanza.name) : told(stanza),
  );
}

function say(client: TestClient, body: string): void {
  client.send(`<message to='${ROOM}' type='groupchat'><body>${body}</body></message>`);
}

describe('play: rooms and blocking (XEP-0191)', () => {
  let server: TestNode;
  let crone: TestClient;
  let hecate: TestClient;
  let hag: TestClient;

  beforeEach(async () => {
    server = await cave();
    [crone, hecate, hag] = await witches(server, false);
    await make(crone, 'firstwitch');
    await enter(hecate, 'secondwitch');
    await enter(hag, 'thirdwitch');
    for (const client of [crone, hecate, hag]) await client.settle();
  });
  afterEach(() => server.stop());

  it('3.3: nothing comes from an occupant who is blocked, and all from the others', async () => {
    await change(hag, 'block', `${ROOM}/secondwitch`);
    await hag.settle();
    say(hecate, 'Thrice the brinded cat');
    hecate.send(`<presence to='${ROOM}/secondwitch'><show>away</show></presence>`);
    // who is blocked notices nothing, and the one who blocks is still inside
    assert.deepEqual(await heard(hecate), ['Thrice the brinded cat', 'secondwitch none/participant wiccarocks 110']);
    say(crone, 'Round about the cauldron go');
    await crone.settle();
    assert.deepEqual(await heard(hag), ['Round about the cauldron go']);
    assert.deepEqual(await heard(hecate), ['Round about the cauldron go']);
    hecate.send(`<message to='${ROOM}/thirdwitch' type='chat' id='pm'><body>psst</body></message>`);
    assert.equal(error(await hecate.message()), 'service-unavailable cancel');
    hecate.send(`<message to='${ROOM}/thirdwitch' type='headline'><body>psst</body></message>`);
    await hecate.settle();
    assert.deepEqual(await heard(hag), []);
    say(hag, 'Harpier cries');
    assert.equal((await hecate.message()).getChildText('body'), 'Harpier cries');
    hag.send(`<message to='${ROOM}/secondwitch' type='chat' id='pm'><body>psst</body></message>`);
    assert.equal((await hag.message()).getChildText('body'), 'Harpier cries');
    assert.equal(error(await hag.message()), 'not-acceptable cancel');
  });

  it('3.4: what is said behind an unblock comes again, also to another client of the account', async () => {
    await change(hag, 'block', `${ROOM}/secondwitch`);
    const phone = await server.login('hag66@localhost/phone');
    // neither its presence nor what it said before is told to who enters
    say(hecate, 'unheard');
    await hecate.settle();
    const entered = (await enter(phone, 'thirdwitch')).filter(({ name }) => name === 'presence');
    assert.deepEqual(entered.map(told), ['firstwitch owner/moderator', 'thirdwitch none/participant hag66 110,170']);
    await change(phone, 'unblock', `${ROOM}/secondwitch`);
    for (const client of [hag, phone]) await client.settle();
    say(hecate, 'heard');
    await hecate.settle();
    for (const client of [hag, phone]) assert.deepEqual(await heard(client), ['heard']);
  });

  it('3.3, 5: who blocks the room leaves it, as does who blocks its service; it cannot be entered then', async () => {
    for (const [client, nick, address] of [
      [hag, 'thirdwitch', ROOM],
      [hecate, 'secondwitch', ROOM.split('@')[1]!],
    ] as const) {
      await change(client, 'block', address);
      assert.deepEqual(await presences(crone), [`${nick} unavailable none/none ${client.jid.split('@')[0]!}`]);
      client.inbox.splice(0);
      say(crone, 'Double, double toil and trouble');
      assert.deepEqual(await heard(crone), ['Double, double toil and trouble']);
      assert.deepEqual(await heard(client), []);
      client.send(`<presence to='${ROOM}/${nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
      assert.equal(error(await client.expect(({ name }) => name === 'presence', 'an error')), 'not-acceptable cancel');
      assert.deepEqual(await heard(crone), []);
    }
  });
});
