import assert from 'node:assert/strict';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { askSlot, get, plain, PURPOSE, put, refusalOf, slot, type SlotUrls, upload } from './uploading.ts';
import { features, INFO } from './verona.ts';

const DAY = 86_400_000; // ms

describe('play: what operators choose for uploads (XEP-0363)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  before(async () => {
    stage = await TestNode.start({
      users: ['romeo', 'juliet'],
      yaml: `hosts: { localhost: {}, verona.example: {} }
modules:
  uploads:
    domain: files.{host}
    url: https://files.example.com/of/{host}/
    types: [image/*, text/plain]
    access: [juliet@localhost]
    daily: { files: 3, bytes: 0 }
    permanent: { enabled: true }
    ephemeral: { enabled: false }
    disk: { free: 0 }
`,
    });
    romeo = await stage.login('romeo@localhost/orchard');
  });
  after(() => stage.stop());

  const ask = (client: TestClient, type: string, service = 'files.localhost', purpose = '') =>
    client.iq(
      'get',
      `<request xmlns='urn:xmpp:http:upload:0' filename='a.b' size='4' content-type='${type}'>${purpose}</request>`,
      service,
    );

  it('the domain, the address, and which purposes there are (5.4)', async () => {
    const announced = features(await romeo.iq('get', INFO, 'files.localhost')).filter(name =>
      name!.startsWith(PURPOSE),
    );
    assert.deepEqual(announced, [`${PURPOSE}#message`, `${PURPOSE}#permanent`, `${PURPOSE}#profile`]);
    const answer = await ask(romeo, 'image/png', undefined, `<permanent xmlns='${PURPOSE}'/>`);
    for (const { attrs } of answer.getChild('slot')!.getChildElements())
      assert.match(attrs.url!, /^https:\/\/files\.example\.com\/of\/localhost\/[\da-f]{32}\/a\.b$/);
  });

  it('types of files', async () => {
    assert.equal(condition(await ask(romeo, 'application/x-msdownload')), 'not-acceptable');
    assert.equal((await ask(romeo, 'IMAGE/x-anything')).attrs.type, 'result');
    assert.equal((await ask(romeo, 'text/plain; charset=utf-8')).attrs.type, 'result');
  });

  it('how much in a day: slots that wait count, and retry says when there is room again (6)', async () => {
    const answer = await ask(romeo, 'image/png');
    const { type, condition: name, extra, text } = refusalOf(answer);
    assert.deepEqual([type, name, extra?.name], ['wait', 'resource-constraint', 'retry']);
    assert.match(text, /3 files within 24 hours/);
    const wait = Date.parse(extra!.attrs.stamp!) - Date.now();
    // a slot that nobody uses is free when its time is over
    assert.ok(wait > 0 && wait <= 301_000, extra!.attrs.stamp);
  });

  it('who else may upload', async () => {
    const juliet = await stage.login('juliet@localhost/balcony');
    assert.equal((await ask(juliet, 'image/png', 'files.verona.example')).attrs.type, 'result');
    assert.equal(condition(await ask(romeo, 'image/png', 'files.verona.example')), 'forbidden');
  });
});

describe('play: the time of a slot (XEP-0363 8)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  before(async () => {
    stage = await TestNode.start({ users: ['romeo'], yaml: 'modules: { uploads: { disk: { free: 0 } } }\n' });
    romeo = await stage.login('romeo@localhost/orchard');
  });
  after(() => stage.stop());

  const rows = (urls: SlotUrls) => ({ name: new URL(urls.get).pathname.split('/')[2]! });
  const setEnd = (urls: SlotUrls, ends: number) =>
    stage.node.storage.transact(tx => tx('uploads').where(rows(urls)).update({ ends }));
  const endOf = async (urls: SlotUrls): Promise<number> => {
    const row = await stage.node.storage.read(q =>
      q<{ name: string; ends: number }>('uploads').where(rows(urls)).first(),
    );
    return Number(row!.ends);
  };

  it('an upload does not begin behind it', async () => {
    const urls = await slot(romeo, { size: 4 });
    const left = (await endOf(urls)) - Date.now();
    assert.ok(left > 200_000 && left <= 300_000, 'five minutes, as the text recommends');
    await setEnd(urls, Date.now() - 1);
    assert.equal((await put(stage, urls.put, 'rose')).status, 410);
    assert.equal((await get(stage, urls.get)).status, 404);
  });

  it('one that began before it may end behind it, and has its place until then', async () => {
    const urls = await slot(romeo, { size: 8 });
    const end = Date.now() + 1500;
    await setEnd(urls, end);
    let more: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        more = controller;
        controller.enqueue(Buffer.from('half'));
      },
    });
    const coming = fetch(plain(stage, urls.put), {
      method: 'PUT',
      headers: { 'Content-Length': '8' },
      body,
      duplex: 'half',
    });
    await until(async () => (await endOf(urls)) > end, 'its place to be held', 15_000);
    await until(() => Date.now() > end, 'the end of the slot', 15_000);
    more!.enqueue(Buffer.from(' and it'.slice(0, 4)));
    more!.close();
    assert.equal((await coming).status, 201);
    assert.equal(await (await get(stage, urls.get)).text(), 'half and');
    // and then it stays as long as files of its kind do
    assert.ok((await endOf(urls)) > Date.now() + 80 * DAY);
    await upload(stage, romeo, 'another');
    assert.equal((await askSlot(romeo)).attrs.type, 'result');
  });
});
