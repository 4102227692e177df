import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { Element } from '../../src/xml/index.ts';
import { escapeXml } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { get, put, slot } from './uploading.ts';
import { ok, verona } from './verona.ts';

const SFS = 'urn:xmpp:sfs:0';
const FILE = 'urn:xmpp:file:metadata:0';
const THUMBS = 'urn:xmpp:thumbs:1';
const MAM = 'urn:xmpp:mam:2';
const THUMBNAIL = 'data:image/png;base64,iVBORw0KGgo=';

/** What somebody learns of a file from a message: XEP-0447, and XEP-0066 for older clients. */
function sharedIn(message: Element) {
  const sharing = message.getChild('file-sharing', SFS)!;
  const file = sharing.getChild('file', FILE)!;
  const text = (name: string) => file.getChildText(name);
  return {
    disposition: sharing.attrs.disposition,
    type: text('media-type'),
    name: text('name'),
    size: Number(text('size')),
    hash: file.getChildText('hash', 'urn:xmpp:hashes:2'),
    length: text('length'),
    thumbnail: file.getChild('thumbnail', THUMBS)?.attrs.uri,
    url: sharing.getChild('sources', SFS)!.getChild('url-data', 'http://jabber.org/protocol/url-data')!.attrs.target!,
    body: message.getChildText('body'),
    oob: message.getChild('x', 'jabber:x:oob')!.getChildText('url'),
  };
}

describe('play: files in messages (XEP-0446, XEP-0447, XEP-0066), uploaded by XEP-0363', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  before(async () => {
    ({ stage, romeo, juliet } = await verona());
  });
  after(() => stage.stop());

  for (const [what, name, type, more] of [
    ['a picture with its thumbnail', 'Rosé & more.jpg', 'image/jpeg', `<width>4096</width><height>2160</height><thumbnail xmlns='${THUMBS}' uri='${THUMBNAIL}' media-type='image/png' width='128' height='96'/>`], // prettier-ignore
    ['a voice message', 'voice.ogg', 'audio/ogg', '<length>4200</length>'],
    ['a file', '契約.pdf', 'application/pdf', ''],
  ] as const)
    it(`${what} arrives, is read back from history, and is the same each time`, async () => {
      const bytes = randomBytes(100_000);
      const hash = createHash('sha256').update(bytes).digest('base64');
      const { put: to, get: from } = await slot(romeo, { filename: name, size: bytes.length, type });
      assert.equal((await put(stage, to, bytes, { 'Content-Type': type })).status, 201);
      const id = `file-${type}`;
      romeo.send(
        `<message to='juliet@localhost' type='chat' id='${id}'><file-sharing xmlns='${SFS}' disposition='inline'><file xmlns='${FILE}'>` +
          `<media-type>${type}</media-type><name>${escapeXml(name)}</name><size>${bytes.length}</size>` +
          `<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>${hash}</hash>${more}</file>` +
          `<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='${from}'/></sources></file-sharing>` +
          `<fallback xmlns='urn:xmpp:fallback:0' for='${SFS}'><body/></fallback><body>${from}</body>` +
          `<x xmlns='jabber:x:oob'><url>${from}</url></x></message>`,
      );
      const arrived = sharedIn(await juliet.message());
      assert.deepEqual(
        { type: arrived.type, name: arrived.name, size: arrived.size, hash: arrived.hash, body: arrived.body },
        { type, name, size: bytes.length, hash, body: from },
      );
      assert.deepEqual([arrived.url, arrived.oob, arrived.disposition], [from, from, 'inline']);
      if (more.includes('thumbnail')) assert.equal(arrived.thumbnail, THUMBNAIL);
      if (more.includes('length')) assert.equal(arrived.length, '4200');

      // the last one of the history, on each side
      for (const [reader, other] of [
        [juliet, 'romeo@localhost'],
        [romeo, 'juliet@localhost'],
      ] as const) {
        ok(
          await reader.iq(
            'set',
            `<query xmlns='${MAM}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${MAM}</value></field>` +
              `<field var='with'><value>${other}</value></field></x><set xmlns='http://jabber.org/protocol/rsm'><max>1</max><before/></set></query>`,
          ),
        );
        const result = await reader.expect(stanza => stanza.getChild('result', MAM) !== undefined, 'a result');
        const kept = result.getChild('result', MAM)!.getChild('forwarded')!.getChild('message')!;
        assert.equal(kept.attrs.id, id);
        assert.deepEqual(sharedIn(kept), arrived);
        const answer = await get(stage, sharedIn(kept).url);
        assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, type]);
        const got = Buffer.from(await answer.bytes());
        assert.equal(createHash('sha256').update(got).digest('base64'), hash);
      }
    });
});
