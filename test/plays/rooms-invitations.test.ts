import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import {
  admin,
  cave,
  enter,
  error,
  form,
  make,
  ok,
  presences,
  refusal,
  ROOM,
  told,
  USER,
  witches,
  X,
} from './rooms.ts';

describe('play: inviting to a room (XEP-0045 7.8)', () => {
  let stage: TestNode;
  let crone: TestClient;
  let wiccarocks: TestClient;
  let hag: TestClient;
  beforeEach(async () => {
    stage = await cave();
    [crone, wiccarocks, hag] = await witches(stage);
  });
  afterEach(() => stage.stop());

  const invite = (client: TestClient, ...inner: string[]) =>
    client.send(`<message id='nzd143v8' to='${ROOM}'><x xmlns='${USER}'>${inner.join('')}</x></message>`);
  const members = async () => {
    const query = ok(await admin(crone, 'get', "<item affiliation='member'/>")).getChild('query')!;
    return query
      .getChildren('item')
      .map(({ attrs }) => attrs.jid!)
      .sort();
  };

  it('7.8.2: the room invites in the name of who is in it, with its password', async () => {
    await make(crone, 'firstwitch', {
      'muc#roomconfig_passwordprotectedroom': '1',
      'muc#roomconfig_roomsecret': 'cauldronburn',
    });
    invite(crone, "<invite to='hag66@localhost'><reason>Hey Hecate</reason></invite>");
    const message = await hag.message();
    assert.deepEqual(
      [message.attrs.from, message.attrs.to, message.attrs.id, message.attrs.type],
      [ROOM, 'hag66@localhost', 'nzd143v8', undefined],
    );
    const x = message.getChild('x', USER)!;
    assert.equal(x.getChild('invite')!.attrs.from, 'crone1@localhost');
    assert.equal(x.getChild('invite')!.getChildText('reason'), 'Hey Hecate');
    assert.equal(x.getChildText('password'), 'cauldronburn');
  });

  it('7.9: several at once, to go on with another discussion', async () => {
    await make(crone, 'firstwitch');
    const inner = "<reason>We need both</reason><continue thread='e0ffe42b'/>";
    invite(
      crone,
      ...['wiccarocks@localhost/laptop', 'hag66@localhost'].map(to => `<invite to='${to}'>${inner}</invite>`),
    );
    for (const client of [wiccarocks, hag]) {
      const invited = (await client.message()).getChild('x', USER)!.getChild('invite')!;
      assert.equal(invited.getChild('continue')!.attrs.thread, 'e0ffe42b');
    }
  });

  it('7.8.2: an invitation waits for who is not there', async () => {
    await make(crone, 'firstwitch');
    await hag.end();
    invite(crone, "<invite to='hag66@localhost'/>");
    await crone.settle();
    hag = await stage.login('hag66@localhost/pda', { presence: true });
    assert.equal((await hag.message()).getChild('x', USER)!.getChild('invite')!.attrs.from, 'crone1@localhost');
  });

  it('7.8.2: who is declined is told by the room', async () => {
    await make(crone, 'firstwitch');
    await enter(wiccarocks, 'secondwitch');
    await crone.settle();
    invite(hag, "<decline to='crone1@localhost'><reason>Sorry, I'm too busy</reason></decline>");
    const message = await crone.message();
    assert.deepEqual([message.attrs.from, message.attrs.to], [ROOM, 'crone1@localhost/desktop']);
    const decline = message.getChild('x', USER)!.getChild('decline')!;
    assert.equal(decline.attrs.from, 'hag66@localhost');
    assert.equal(decline.getChildText('reason'), "Sorry, I'm too busy");
    invite(hag, `<decline to='${ROOM}/secondwitch'/>`);
    assert.equal((await wiccarocks.message()).getChild('x', USER)!.getChild('decline')!.attrs.from, 'hag66@localhost');
    // it carries nothing to those who have nothing to do with it, and does not tell who these are
    for (const other of ['nobody@localhost', 'wiccarocks@localhost', `${ROOM}/thirdwitch`])
      invite(hag, `<decline to='${other}'/>`);
    assert.deepEqual(
      (await hag.settle()).filter(({ name }) => name === 'message'),
      [],
    );
  });

  it('7.8.2: what cannot be', async () => {
    await make(crone, 'firstwitch');
    for (const [inner, answer] of [
      ["<invite to='nobody@localhost'/>", 'item-not-found cancel'],
      ["<invite to='@'/>", 'jid-malformed modify'],
      ['<invite/>', 'bad-request modify'],
      [`<invite to='${ROOM}/firstwitch'/>`, 'item-not-found cancel'],
      // what comes back from elsewhere is told to who invited
      ["<invite to='hecate@nowhere.example'/>", 'remote-server-not-found cancel'],
    ] as const) {
      invite(crone, inner);
      assert.equal(await refusal(crone, 'nzd143v8'), answer);
    }
    invite(hag, "<invite to='wiccarocks@localhost'/>");
    assert.equal(await refusal(hag, 'nzd143v8'), 'not-acceptable modify');
    ok(await admin(crone, 'set', "<item affiliation='outcast' jid='wiccarocks@localhost'/>"));
    invite(crone, "<invite to='wiccarocks@localhost'/>");
    assert.equal(await refusal(crone, 'nzd143v8'), 'not-allowed cancel');
    assert.deepEqual(await wiccarocks.settle(), []);
  });

  describe('a members-only room', () => {
    beforeEach(async () => {
      await make(crone, 'firstwitch', { 'muc#roomconfig_membersonly': '1', 'muc#roomconfig_allowinvites': '0' });
      ok(await admin(crone, 'set', "<item affiliation='member' jid='wiccarocks@localhost'/>"));
    });

    it('9.5: new members are invited by the room', async () => {
      const x = (await wiccarocks.message()).getChild('x', USER)!;
      assert.equal(x.getChild('invite')!.attrs.from, 'crone1@localhost');
    });

    it('7.8.2: who is invited by an admin becomes a member, and is invited once', async () => {
      invite(crone, "<invite to='hag66@localhost/pda'/>");
      await hag.message();
      assert.deepEqual(await members(), ['hag66@localhost', 'wiccarocks@localhost']);
      assert.deepEqual(await hag.settle(), []);
      assert.match((await enter(hag, 'thirdwitch')).map(told).join('\n'), /thirdwitch member\/participant hag66/);
    });

    it('7.8.2: other members may do so only where owners have said so', async () => {
      await enter(wiccarocks, 'secondwitch');
      invite(wiccarocks, "<invite to='hag66@localhost'/>");
      assert.equal(await refusal(wiccarocks, 'nzd143v8'), 'forbidden auth');
      assert.deepEqual(await members(), ['wiccarocks@localhost']);
      await make(crone, 'firstwitch', { 'muc#roomconfig_allowinvites': '1' });
      invite(wiccarocks, "<invite to='hag66@localhost'/>");
      assert.equal((await hag.message()).getChild('x', USER)!.getChild('invite')!.attrs.from, 'wiccarocks@localhost');
      assert.deepEqual(await members(), ['hag66@localhost', 'wiccarocks@localhost']);
    });

    it('7.8.1: a direct invitation (XEP-0249) passes as it is, and makes members where its sender may', async () => {
      const direct = `<message to='hag66@localhost'><x xmlns='jabber:x:conference' jid='${ROOM}' reason='Hey'/></message>`;
      await enter(wiccarocks, 'secondwitch');
      wiccarocks.send(direct);
      const x = (await hag.message()).getChild('x', 'jabber:x:conference')!;
      assert.deepEqual([x.attrs.jid, x.attrs.reason], [ROOM, 'Hey']);
      assert.deepEqual(await members(), ['wiccarocks@localhost']);
      hag.send(`<presence to='${ROOM}/thirdwitch'>${X}</presence>`);
      assert.equal(error(await hag.presence(`${ROOM}/thirdwitch`, 'error')), 'registration-required auth');
      crone.send(direct);
      await hag.message();
      assert.deepEqual(await members(), ['hag66@localhost', 'wiccarocks@localhost']);
      await enter(hag, 'thirdwitch');
    });
  });
});

describe('play: voice (XEP-0045 7.13, 8.6)', () => {
  const REQUEST = 'http://jabber.org/protocol/muc#request';
  const DATA = 'jabber:x:data';
  let stage: TestNode;
  let crone: TestClient;
  let wiccarocks: TestClient;
  let hag: TestClient;
  beforeEach(async () => {
    stage = await cave();
    [crone, wiccarocks, hag] = await witches(stage);
    await make(crone, 'firstwitch', { 'muc#roomconfig_moderatedroom': '1' });
    await enter(hag, 'thirdwitch');
    await enter(wiccarocks, 'secondwitch');
    await Promise.all([crone, hag, wiccarocks].map(client => client.settle()));
  });
  afterEach(() => stage.stop());

  const submit = (client: TestClient, fields: Readonly<Record<string, string>>) =>
    client.send(`<message id='v' to='${ROOM}'>${form({ FORM_TYPE: REQUEST, ...fields })}</message>`);
  const granted = {
    'muc#role': 'participant',
    'muc#jid': 'hag66@localhost/pda',
    'muc#roomnick': 'thirdwitch',
    'muc#request_allow': 'true',
  };

  it('a moderator gets a form, and who is given voice has it', async () => {
    submit(hag, { 'muc#role': 'participant' });
    const x = (await crone.message()).getChild('x', DATA)!;
    assert.equal(x.attrs.type, 'form');
    const fields = x.getChildren('field').map(it => [it.attrs.var, it.getChildText('value')]);
    assert.deepEqual(fields, [
      ['FORM_TYPE', REQUEST],
      ['muc#role', 'participant'],
      ['muc#jid', 'hag66@localhost/pda'],
      ['muc#roomnick', 'thirdwitch'],
      ['muc#request_allow', '0'],
    ]);
    submit(crone, granted);
    assert.equal(told(await wiccarocks.presence(`${ROOM}/thirdwitch`)), 'thirdwitch none/participant');
    assert.deepEqual(await presences(hag), ['thirdwitch none/participant hag66 110']);
    hag.send(`<message to='${ROOM}' type='groupchat'><body>Fire burn</body></message>`);
    assert.equal((await crone.expect(it => it.getChild('body') !== undefined, 'what is said')).attrs.type, 'groupchat');
    submit(hag, { 'muc#role': 'participant' });
    assert.equal(await refusal(hag, 'v'), 'bad-request modify');
  });

  it('others do not give it, nor get the form; nobody asks twice in a minute', async () => {
    submit(hag, { 'muc#role': 'participant' });
    submit(hag, { 'muc#role': 'participant' });
    assert.equal(await refusal(hag, 'v'), 'resource-constraint wait');
    submit(hag, granted);
    assert.equal(await refusal(hag, 'v'), 'forbidden auth');
    assert.deepEqual(await wiccarocks.settle(), []);
    submit(crone, { ...granted, 'muc#request_allow': '0' });
    submit(crone, { ...granted, 'muc#jid': 'hag66@localhost/other' });
    assert.equal(await refusal(crone, 'v'), 'item-not-found cancel');
    assert.deepEqual(await presences(hag), []);
  });

  it('owners may have it otherwise', async () => {
    await make(crone, 'firstwitch', { 'muc#roomconfig_allow_voice_requests': '0' });
    submit(hag, { 'muc#role': 'participant' });
    assert.equal(await refusal(hag, 'v'), 'forbidden auth');
  });
});
