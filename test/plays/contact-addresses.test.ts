import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { INFO, ok, verona } from './verona.ts';

describe('play: contact addresses (XEP-0157)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let plain: string;

  before(async () => {
    ({ stage, romeo } = await verona(`modules:
  contact:
    abuse: ['mailto:abuse@example.org', 'xmpp:abuse@example.org']
    security: ['https://example.org/security']
`));
    plain = readFileSync(stage.configFile, 'utf8');
  });
  after(() => stage.stop());

  it('stand in the disco information of the host, those that are there', async () => {
    const forms = ok(await romeo.iq('get', INFO, 'localhost'))
      .getChild('query')!
      .getChildren('x', 'jabber:x:data');
    assert.equal(forms.length, 1);
    assert.equal(forms[0]!.attrs.type, 'result');
    const fields = forms[0]!
      .getChildren('field')
      .map(field => [field.attrs.var, field.getChildren('value').map(v => v.getText())]);
    assert.deepEqual(fields, [
      ['FORM_TYPE', ['http://jabber.org/network/serverinfo']],
      ['abuse-addresses', ['mailto:abuse@example.org', 'xmpp:abuse@example.org']],
      ['security-addresses', ['https://example.org/security']],
    ]);
  });

  it('change with the configuration, and may be none', async () => {
    const none = plain.replace(/ {4}abuse: .*\n/, '').replace(/ {4}security: .*\n/, '');
    writeFileSync(stage.configFile, none);
    await stage.node.reload();
    assert.equal(
      ok(await romeo.iq('get', INFO, 'localhost'))
        .getChild('query')!
        .getChild('x'),
      undefined,
    );
    writeFileSync(stage.configFile, plain.replace('mailto:abuse@example.org', 'not a URI'));
    await assert.rejects(stage.node.reload(), /modules\.contact\.abuse\[0\]/);
    writeFileSync(stage.configFile, plain);
    await stage.node.reload();
  });
});
