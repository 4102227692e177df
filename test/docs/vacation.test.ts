import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import vacation from '../../docs/examples/vacation/index.ts';
import { type TestClient, condition } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

const FOLDER = fileURLToPath(new URL('../../docs/examples/vacation/', import.meta.url));
const NOTE = "xmlns='urn:example:vacation:0'";

describe('the example of docs/modules.md: vacation', () => {
  let node: TestNode;
  let juliet: TestClient;
  let romeo: TestClient;

  before(async () => {
    node = await TestNode.start({
      yaml: `modules: { '${FOLDER}': { length: 20 } }\n`,
      users: ['romeo', 'juliet'],
    });
  });
  after(() => node.stop());

  it('is loaded from its path, under the name that it gives itself', () => {
    const status = node.node.modules.list().find(module => module.name === vacation.name);
    assert.equal(status?.state, 'loaded');
    assert(status.file.startsWith(FOLDER));
  });

  it('keeps a note for its owner alone', async () => {
    juliet = await node.login('juliet@localhost/balcony');
    romeo = await node.login('romeo@localhost/orchard', { presence: true });
    assert.equal(condition(await juliet.iq('get', `<note ${NOTE}/>`)), 'item-not-found');
    assert.equal((await juliet.iq('set', `<note ${NOTE}>At friar's cell</note>`)).attrs.type, 'result');
    assert.equal((await juliet.iq('get', `<note ${NOTE}/>`)).getChildText('note'), "At friar's cell");
    assert.equal(condition(await romeo.iq('get', `<note ${NOTE}/>`, 'juliet@localhost')), 'service-unavailable');
  });

  it('refuses a note longer than the option allows', async () => {
    assert.equal(condition(await juliet.iq('set', `<note ${NOTE}>${'x'.repeat(21)}</note>`)), 'not-acceptable');
    assert.equal((await juliet.iq('get', `<note ${NOTE}/>`)).getChildText('note'), "At friar's cell");
  });

  it('answers for her once, and the message waits as it would without it', async () => {
    await juliet.end();
    romeo.send("<message to='juliet@localhost' type='chat' id='m1'><body>Juliet?</body></message>");
    const note = await romeo.message();
    assert.equal(note.attrs.from, 'juliet@localhost');
    assert.equal(note.attrs.type, 'headline');
    assert.equal(note.getChildText('body'), "At friar's cell");
    romeo.send("<message to='juliet@localhost' type='chat' id='m2'><body>Are you there?</body></message>");
    assert.deepEqual(
      (await romeo.settle()).map(stanza => stanza.toString()),
      [],
    );
    juliet = await node.login('juliet@localhost/balcony', { presence: true });
    assert.equal((await juliet.message()).getChildText('body'), 'Juliet?');
    assert.equal((await juliet.message()).getChildText('body'), 'Are you there?');
  });

  it('goes without a trace, and nobody notices', async () => {
    await node.node.modules.unload(vacation.name);
    assert.deepEqual(node.node.modules.leaks(), []);
    assert.equal(condition(await juliet.iq('get', `<note ${NOTE}/>`)), 'service-unavailable');
  });

  it('finds what it kept when it comes back', async () => {
    await node.node.modules.load(FOLDER);
    assert.equal((await juliet.iq('get', `<note ${NOTE}/>`)).getChildText('note'), "At friar's cell");
  });
});
