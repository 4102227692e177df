import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { wantAsked } from './caps.ts';
import { befriend } from './people.ts';
import { briefly, event, eventsOf, get, idsOf, OWN, publish } from './pubsub.ts';
import { features, INFO, ok, ROMEO, verona } from './verona.ts';

const DATA = 'urn:xmpp:avatar:data';
const METADATA = 'urn:xmpp:avatar:metadata';
const UPDATE = 'vcard-temp:x:update';
const PICTURES = ['first picture', 'second picture'].map(text => Buffer.from(text));
const [ONE, TWO] = PICTURES.map(bytes => bytes.toString('base64')) as [string, string];
const [ONE_ID, TWO_ID] = PICTURES.map(bytes => createHash('sha1').update(bytes).digest('hex')) as [string, string];
const CARD = `<vCard xmlns='vcard-temp'/>`;

describe('play: avatars in nodes and in vCards are the same (XEP-0084, XEP-0153, XEP-0398)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  beforeEach(async () => {
    ({ stage, romeo, juliet } = await verona());
  });
  afterEach(() => stage.stop());

  const wear = async (base64: string, id: string, access = 'open') => {
    const options = { access_model: access };
    ok(await publish(romeo, DATA, `<item id='${id}'><data xmlns='${DATA}'>${base64}</data></item>`, OWN, options));
    const info = `<info bytes='13' id='${id}' type='image/gif'/><info bytes='1' id='${'0'.repeat(40)}' type='image/png' url='https://example.org/x'/>`;
    ok(
      await publish(
        romeo,
        METADATA,
        `<item id='${id}'><metadata xmlns='${METADATA}'>${info}</metadata></item>`,
        OWN,
        options,
      ),
    );
  };
  const photo = async (client: TestClient) => {
    const answer = await client.iq('get', CARD, ROMEO);
    const found = answer.getChild('vCard', 'vcard-temp')?.getChild('PHOTO');
    return found ? `${found.getChildText('TYPE')} ${found.getChildText('BINVAL')}` : undefined;
  };
  /** The hash in his presence, as she sees it. */
  const shown = async (content = ''): Promise<string | undefined | null> => {
    romeo.send(`<presence>${content}</presence>`);
    const presence = await juliet.presence(romeo.jid);
    assert.ok(presence.getChildren('x', UPDATE).length <= 1);
    return presence.getChild('x', UPDATE)?.getChildText('photo');
  };

  it('is said by the account (2)', async () => {
    assert.ok(features(await romeo.iq('get', INFO)).includes('urn:xmpp:pep-vcard-conversion:0'));
  });

  it('3.1: who asks for a card gets the avatar that was published', async () => {
    await wear(ONE, ONE_ID);
    assert.equal(await photo(juliet), `image/gif ${ONE}`);
    ok(await romeo.iq('set', `<vCard xmlns='vcard-temp'><FN>Romeo</FN></vCard>`));
    assert.equal(await photo(juliet), `image/gif ${ONE}`);
    await wear(TWO, TWO_ID);
    assert.equal(await photo(juliet), `image/gif ${TWO}`);
    const card = (await juliet.iq('get', CARD, ROMEO)).getChild('vCard')!;
    assert.equal(card.getChildText('FN'), 'Romeo');
    // XEP-0084 4.2.2: switched off
    ok(await publish(romeo, METADATA, `<item id='${TWO_ID}'><metadata xmlns='${METADATA}'/></item>`, OWN));
    assert.equal(await photo(juliet), undefined);
  });

  it('8: only who may read the nodes, and only a picture that is what its id says', async () => {
    await wear(ONE, ONE_ID, 'presence');
    assert.equal(await photo(juliet), undefined);
    assert.equal(await photo(romeo), `image/gif ${ONE}`);
    await befriend(romeo, juliet);
    assert.equal(await photo(juliet), `image/gif ${ONE}`);
    await wear(ONE, TWO_ID, 'presence');
    assert.equal(await photo(juliet), undefined);
  });

  it('3.2: a photo in a card is published, the picture first, and told', async () => {
    await befriend(romeo, juliet);
    await wantAsked(juliet, [METADATA]);
    await juliet.settle();
    const set = (content: string) => romeo.iq('set', `<vCard xmlns='vcard-temp'><FN>Romeo</FN>${content}</vCard>`);
    const picture = (base64: string) => `<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>\n${base64}\n</BINVAL></PHOTO>`;
    ok(await set(picture(ONE)));
    const told = await event(juliet);
    assert.equal(briefly(told), `items ${METADATA} +${ONE_ID}`);
    const { id, type, bytes } = told.getChild('item')!.getChild('metadata')!.getChild('info')!.attrs;
    assert.deepEqual([id, type, bytes], [ONE_ID, 'image/jpeg', '13']);
    assert.deepEqual(idsOf(await get(juliet, DATA, ROMEO)), [ONE_ID]);
    // the same again says nothing new
    ok(await set(picture(ONE)));
    assert.deepEqual(eventsOf(await juliet.settle()), []);
    assert.equal(await photo(juliet), `image/jpeg ${ONE}`);
    // and it is taken away where it came from
    ok(await set(''));
    assert.equal((await event(juliet)).getChild('item')!.getChild('metadata')!.children.length, 0);
    assert.equal(await photo(juliet), undefined);
    ok(await set('<PHOTO><BINVAL>no base64!</BINVAL></PHOTO>'));
    assert.deepEqual(eventsOf(await juliet.settle()), []);
  });

  it('4: presence shows the hash, unless a client says that there is none', async () => {
    await befriend(romeo, juliet);
    assert.equal(await shown(), undefined);
    await wear(ONE, ONE_ID);
    assert.equal(await shown(), ONE_ID);
    assert.equal(await shown(`<x xmlns='${UPDATE}'/>`), ONE_ID);
    assert.equal(await shown(`<x xmlns='${UPDATE}'><photo/></x>`), '');
    assert.equal(await shown(`<x xmlns='${UPDATE}'><photo>own</photo></x>`), 'own');
    await wear(TWO, TWO_ID);
    assert.equal(await shown(), TWO_ID);
    // directed presence too, by which rooms are entered
    romeo.send(`<presence to='juliet@localhost'/>`);
    assert.equal((await juliet.presence(romeo.jid)).getChild('x', UPDATE)!.getChildText('photo'), TWO_ID);
  });
});
