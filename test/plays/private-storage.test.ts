import assert from 'node:assert/strict';
import { condition, type TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { features, INFO, ok, same, verona } from './verona.ts';

const PRIVATE = 'jabber:iq:private';

describe('play: private storage (XEP-0049)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  before(async () => {
    ({ stage, romeo, juliet } = await verona('modules: { private-storage: { size: 2000, documents: 4 } }\n'));
  });
  after(() => stage.stop());

  const set = (client: TestClient, content: string, to?: string) =>
    client.iq('set', `<query xmlns='${PRIVATE}'>${content}</query>`, to);
  const get = (client: TestClient, content: string, to?: string) =>
    client.iq('get', `<query xmlns='${PRIVATE}'>${content}</query>`, to);
  const PREFS = "<prefs xmlns='urn:example:prefs'/>";

  it('is advertised by accounts', async () => {
    assert.ok(features(await romeo.iq('get', INFO)).includes(PRIVATE));
  });

  it('gives back what was put, or the element itself when there is nothing', async () => {
    const [empty] = ok(await get(romeo, PREFS))
      .getChild('query', PRIVATE)!
      .getChildElements();
    assert.deepEqual([empty!.name, empty!.getNS(), empty!.children.length], ['prefs', 'urn:example:prefs', 0]);
    const document = "<prefs xmlns='urn:example:prefs' a='1 &lt; 2'><nick xmlns='urn:x'>R&amp;J — ☺</nick><x/></prefs>";
    const answer = ok(await set(romeo, document));
    assert.equal(answer.children.length, 0);
    const [kept] = ok(await get(romeo, PREFS, 'romeo@localhost'))
      .getChild('query', PRIVATE)!
      .getChildElements();
    assert.equal(kept!.attrs.a, '1 < 2');
    assert.equal(kept!.getChildText('nick', 'urn:x'), 'R&J — ☺');
    assert.equal(kept!.getChild('x')!.getNS(), 'urn:example:prefs');
    assert.equal(kept!.parent!.getChildElements().length, 1);
  });

  it('keeps each name and namespace apart, and replaces what is there', async () => {
    ok(await set(romeo, "<a xmlns='urn:one'>1</a>"));
    ok(await set(romeo, "<a xmlns='urn:two'>2</a>"));
    ok(await set(romeo, "<a xmlns='urn:one'>3</a><a xmlns='urn:one'>4</a>"));
    assert.equal(
      ok(await get(romeo, "<a xmlns='urn:one'/>"))
        .getChild('query')!
        .getChildText('a'),
      '4',
    );
    assert.equal(
      ok(await get(romeo, "<a xmlns='urn:two'/>"))
        .getChild('query')!
        .getChildText('a'),
      '2',
    );
    assert.equal(
      ok(await get(romeo, "<b xmlns='urn:two'/>"))
        .getChild('query')!
        .getChildText('b'),
      '',
    );
  });

  it('refuses requests without a document or with two, and namespaces that are not theirs', async () => {
    assert.equal(condition(await get(romeo, '')), 'bad-request');
    assert.equal(condition(await set(romeo, '')), 'not-acceptable');
    assert.equal(condition(await get(romeo, `${PREFS}<a xmlns='urn:one'/>`)), 'bad-request');
    for (const xmlns of ['jabber:client', 'jabber:iq:roster', 'vcard-temp', 'http://jabber.org/protocol/muc', '']) {
      assert.equal(condition(await set(romeo, `<a xmlns='${xmlns}'>x</a>`)), 'not-acceptable', xmlns);
      assert.equal(condition(await get(romeo, `<a xmlns='${xmlns}'/>`)), 'not-acceptable', xmlns);
    }
    assert.equal(condition(await set(romeo, '<a>x</a>')), 'not-acceptable');
    assert.equal(condition(await get(romeo, '<a/>')), 'not-acceptable');
  });

  it('puts all documents of a request or none, and no more than allowed', async () => {
    assert.equal(condition(await set(romeo, `<c xmlns='urn:c'>${'x'.repeat(2000)}</c>`)), 'not-acceptable');
    assert.equal(condition(await set(romeo, "<c xmlns='urn:c'>1</c><d xmlns='jabber:client'/>")), 'not-acceptable');
    assert.equal(condition(await set(romeo, "<c xmlns='urn:c'>1</c><d xmlns='urn:d'>1</d>")), 'resource-constraint');
    assert.equal(
      ok(await get(romeo, "<c xmlns='urn:c'/>"))
        .getChild('query')!
        .getChildText('c'),
      '',
    );
    ok(await set(romeo, "<c xmlns='urn:c'>1</c>"));
    ok(await set(romeo, "<c xmlns='urn:c'>2</c>"));
    assert.equal(
      ok(await get(romeo, "<c xmlns='urn:c'/>"))
        .getChild('query')!
        .getChildText('c'),
      '2',
    );
  });

  it("is nobody's but the owner's, and tells nobody who is there", async () => {
    for (const ask of [get, set]) {
      assert.equal(condition(await ask(juliet, PREFS, 'romeo@localhost')), 'service-unavailable');
      await same(account => ask(juliet, PREFS, account), 'romeo@localhost', 'nobody@localhost');
      assert.equal(condition(await ask(romeo, PREFS, 'localhost')), 'service-unavailable');
    }
  });
});
