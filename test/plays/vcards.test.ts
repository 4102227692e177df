import assert from 'node:assert/strict';
import { condition, type TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { features, INFO, ok, same, verona } from './verona.ts';

const VCARD = 'vcard-temp';

describe('play: vCards (XEP-0054)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  before(async () => {
    ({ stage, romeo, juliet } = await verona('modules: { vcard: { size: 3000 } }\n'));
  });
  after(() => stage.stop());

  const GET = `<vCard xmlns='${VCARD}'/>`;
  const card = (name: string) =>
    `<vCard xmlns='${VCARD}'><FN>${name}</FN><N><GIVEN>${name}</GIVEN></N><PHOTO><TYPE>image/png</TYPE><BINVAL>aGk=</BINVAL></PHOTO></vCard>`;

  it('are advertised', async () => {
    assert.ok(features(await romeo.iq('get', INFO)).includes(VCARD));
    assert.ok(features(await romeo.iq('get', INFO, 'localhost')).includes(VCARD));
  });

  it('an owner without one gets an empty one; others are told what they are of an account that is not there', async () => {
    assert.equal(ok(await romeo.iq('get', GET)).getChild('vCard', VCARD)!.children.length, 0);
    assert.equal(condition(await juliet.iq('get', GET, 'romeo@localhost')), 'service-unavailable');
    await same(account => juliet.iq('get', GET, account), 'romeo@localhost', 'nobody@localhost');
  });

  it('are written by the owner, and read by everybody (3.2, 3.3)', async () => {
    assert.equal(ok(await romeo.iq('set', card('Romeo &amp; ☺'))).children.length, 0);
    for (const [client, to] of [
      [romeo, undefined],
      [romeo, 'romeo@localhost'],
      [juliet, 'romeo@localhost'],
    ] as const) {
      const answer = ok(await client.iq('get', GET, to));
      const found = answer.getChild('vCard', VCARD)!;
      assert.equal(found.getChildText('FN'), 'Romeo & ☺');
      assert.equal(found.getChild('PHOTO')!.getChildText('BINVAL'), 'aGk=');
      assert.equal(found.getChild('N')!.getNS(), VCARD);
    }
    ok(await romeo.iq('set', card('Montague'), 'romeo@localhost'));
    const replaced = ok(await juliet.iq('get', GET, 'romeo@localhost')).getChild('vCard')!;
    assert.deepEqual(
      replaced.getChildren('FN').map(e => e.getText()),
      ['Montague'],
    );
  });

  it('of others are not written, whether they are there or not', async () => {
    assert.equal(condition(await juliet.iq('set', card('Mine'), 'romeo@localhost')), 'forbidden');
    await same(account => juliet.iq('set', card('Mine'), account), 'romeo@localhost', 'nobody@localhost');
    assert.equal(
      ok(await juliet.iq('get', GET, 'romeo@localhost'))
        .getChild('vCard')!
        .getChildText('FN'),
      'Montague',
    );
    assert.equal(condition(await juliet.iq('set', card('Mine'), 'localhost')), 'service-unavailable');
  });

  it('have a size, beyond which the old one stays', async () => {
    assert.equal(condition(await romeo.iq('set', card('x'.repeat(3000)))), 'not-acceptable');
    assert.equal(
      ok(await romeo.iq('get', GET))
        .getChild('vCard')!
        .getChildText('FN'),
      'Montague',
    );
  });

  it('the server has one too', async () => {
    assert.equal(
      ok(await romeo.iq('get', GET, 'localhost'))
        .getChild('vCard')!
        .getChildText('FN'),
      'Posthouse',
    );
  });
});
