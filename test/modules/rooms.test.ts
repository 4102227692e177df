import assert from 'node:assert/strict';
import { xml } from '../../src/xml/index.ts';
import { type KitSession, ModuleKit, packet, tempFolder, until } from '../kit/index.ts';
import { writeModule } from '../kit/written.ts';

const MUC = 'http://jabber.org/protocol/muc';
const OWNER = `${MUC}#owner`;
const ROOM = 'coven@conference.localhost';

/** A domain whose users are in rooms: it counts what they are sent, and keeps it for whom a test looks at. */
const CROWD = `
  const got = { messages: 0, presences: 0, of: undefined, kept: [] };
  globalThis.crowd = got;
  mod.add('domains', {
    serves: domain => domain === 'crowd.example',
    receive: packet => {
      if (packet.kind === 0) got.messages++; else got.presences++;
      if (packet.to.local === got.of) got.kept.push(packet.wire());
    },
  });
`;

interface Crowd {
  messages: number;
  presences: number;
  of: string | undefined;
  kept: string[];
}
const crowd = (): Crowd => (globalThis as unknown as { crowd: Crowd }).crowd;

describe('rooms of many, and rooms asleep', function () {
  this.timeout(60_000);
  let kit: ModuleKit;
  let crone: KitSession;
  afterEach(() => kit.close());

  async function open(options: { clock?: boolean; fields?: Record<string, string> } = {}): Promise<void> {
    const modules = {
      archive: {},
      messages: {},
      roster: {},
      rooms: {},
      'stanza-id': {},
      [writeModule(tempFolder(), 'crowd', CROWD)]: {},
    };
    kit = await ModuleKit.open({ clock: options.clock, modules });
    crone = await kit.session('crone1@localhost/desktop');
    await enter(crone, 'firstwitch');
    const fields = Object.entries({ FORM_TYPE: `${MUC}#roomconfig`, ...options.fields }).map(([name, value]) =>
      xml('field', { var: name }, xml('value', {}, value)),
    );
    const form = xml('x', { xmlns: 'jabber:x:data', type: 'submit' }, ...fields);
    await kit.iq(crone, xml('query', { xmlns: OWNER }, form), { type: 'set', to: ROOM });
    crone.fresh();
  }
  async function enter(session: KitSession, nick: string): Promise<void> {
    await kit.receive(session, `<presence to='${ROOM}/${nick}'><x xmlns='${MUC}'/></presence>`);
    await until(
      () => session.sent.find(stanza => stanza.getChild('subject')),
      () => 'the subject',
    );
  }
  const awake = (): number => {
    const [figure] = kit.node.metrics.families.find(({ name }) => name === 'posthouse_rooms_awake')!.read();
    return figure!.value;
  };
  /** So many users of the other domain enter, one after the other. */
  async function fill(most: number): Promise<void> {
    for (let i = 0; i < most; i++)
      await kit.node.route(
        packet(`<presence from='u${i}@crowd.example/x' to='${ROOM}/n${i}'><x xmlns='${MUC}'/></presence>`),
      );
  }
  const say = (from: string, text: string) =>
    kit.node.route(packet(`<message type='groupchat' from='${from}' to='${ROOM}'><body>${text}</body></message>`));

  it('presence to many goes in portions, and in order: the others, oneself, the subject', async () => {
    await open();
    await fill(600);
    crone.fresh();
    crowd().of = 'late';
    await kit.node.route(
      packet(`<presence from='late@crowd.example/x' to='${ROOM}/late'><x xmlns='${MUC}'/></presence>`),
    );
    const { kept } = crowd();
    assert.equal(kept.length, 603);
    assert(kept.slice(0, 601).every(wire => wire.startsWith('<presence') && !wire.includes("code='110'")));
    assert(kept[601]!.includes("code='110'"));
    assert(kept[602]!.includes('<subject'));
    assert.equal(new Set(kept.slice(0, 601).map(wire => /from='([^']+)'/.exec(wire)![1])).size, 601);
  });

  it('a room of 10,000 takes a message of each kind (presence of moderators only)', async () => {
    await open({ fields: { 'muc#roomconfig_presencebroadcast': 'moderator' } });
    // with the owner, as many as the operator allows
    await fill(9999);
    // the one moderator, and oneself
    assert.equal(crowd().presences, 19_998);
    const subjects = crowd().messages;
    await say('u7@crowd.example/x', 'Thrice');
    assert.equal(crowd().messages - subjects, 9999);
    const [message] = crone.fresh().filter(stanza => stanza.getChild('body'));
    assert.equal(message?.attrs.from, `${ROOM}/n7`);
    await kit.receive(crone, `<message type='groupchat' to='${ROOM}'><body>and once</body></message>`);
    await until(
      () => crowd().messages - subjects === 19_998,
      () => 'the message of a client to all',
    );
    // it is full
    const before = crone.sent.length;
    const hag = await kit.session('hag66@localhost/pda');
    await kit.receive(hag, `<presence to='${ROOM}/thirdwitch'><x xmlns='${MUC}'/></presence>`);
    assert.equal(hag.sent.at(-1)?.getChild('error')?.getChildElements()[0]?.name, 'service-unavailable');
    assert.equal(crone.sent.length, before);
  });

  it('one whose domain is not there any more leaves by what comes back (18.1.2)', async () => {
    await open();
    await fill(1);
    crone.fresh();
    await kit.route(`<presence from='x@gone.example/x' to='${ROOM}/ghost'><x xmlns='${MUC}'/></presence>`);
    const seen = await until(
      () => crone.sent.find(stanza => stanza.attrs.type === 'unavailable'),
      () => 'its departure',
    );
    assert.equal(seen.attrs.from, `${ROOM}/ghost`);
    const codes = seen
      .getChild('x')!
      .getChildren('status')
      .map(({ attrs }) => attrs.code);
    assert.deepEqual(codes, ['333']);
  });

  it('one where nobody is sleeps after a while, and wakes with all that it had', async () => {
    await open({ clock: true, fields: { 'muc#roomconfig_persistentroom': '1' } });
    await kit.receive(crone, `<message type='groupchat' to='${ROOM}'><body>Thrice</body></message>`);
    await kit.receive(crone, `<message type='groupchat' to='${ROOM}'><subject>Spells</subject></message>`);
    await kit.receive(crone, `<presence type='unavailable' to='${ROOM}/firstwitch'/>`);
    assert.equal(awake(), 1);
    await kit.clock.tickAsync(3_500_000);
    assert.equal(awake(), 1);
    await kit.clock.tickAsync(200_000);
    assert.equal(awake(), 0);
    const hag = await kit.session('hag66@localhost/pda');
    await enter(hag, 'thirdwitch');
    assert.equal(awake(), 1);
    const messages = hag.sent.filter(({ name }) => name === 'message');
    assert.deepEqual(
      messages.map(message => message.getChildText('body') ?? message.getChildText('subject')),
      ['Thrice', 'Spells'],
    );
  });

  it('what is asked of one that is not there leaves nothing behind', async () => {
    await open();
    for (let i = 0; i < 50; i++) {
      await kit.receive(crone, `<message type='groupchat' to='r${i}@conference.localhost'><body>x</body></message>`);
      await kit.receive(crone, `<presence to='r${i}@conference.localhost/x'/>`);
    }
    assert.equal(awake(), 1);
  });
});
