import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { ask } from './archive.ts';
import { ok } from './verona.ts';

const JMI = 'urn:xmpp:jingle-message:0';
const JINGLE = 'urn:xmpp:jingle:1';
const CARBONS = 'urn:xmpp:carbons:2';
const STORE = "<store xmlns='urn:xmpp:hints'/>";
const DESCRIPTION = "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>";
const reason = (condition: string) => `<reason xmlns='${JINGLE}'><${condition}/></reason>`;

describe('play: calls (XEP-0353, XEP-0166)', () => {
  let stage: TestNode;
  let count = 0;
  /** The caller, and his other device. */
  let orchard: TestClient;
  let desk: TestClient;
  let phone: TestClient;
  let tablet: TestClient;
  let R: string;
  let J: string;
  let sid: string;

  before(async () => {
    stage = await TestNode.start();
  });
  after(() => stage.stop());
  beforeEach(async () => {
    count++;
    sid = `ca3cf894-5325-482f-a412-${count}`;
    [R, J] = [`romeo${count}@localhost`, `juliet${count}@localhost`];
    await Promise.all([stage.addUser(`romeo${count}`), stage.addUser(`juliet${count}`)]);
    const device = async (full: string, priority: number | true = true) => {
      const client = await stage.login(full, { presence: priority });
      ok(await client.iq('set', `<enable xmlns='${CARBONS}'/>`));
      return client;
    };
    orchard = await device(`${R}/orchard`);
    desk = await device(`${R}/desk`);
    phone = await device(`${J}/phone`);
    // section 2: also those of negative priority
    tablet = await device(`${J}/tablet`, -1);
    for (const client of [orchard, desk, phone, tablet]) await client.settle();
  });

  const say = (client: TestClient, to: string, name: string, inside = '', hint = STORE): void =>
    client.send(
      `<message to='${to}' type='chat'><${name} xmlns='${JMI}' id='${sid}'>${inside}</${name}>${hint}</message>`,
    );

  /** What of a call came in: directly or as a copy, from whom to whom. */
  const calls = (stanzas: readonly Element[]): string[] =>
    stanzas.flatMap(stanza => {
      const copy = stanza.getChildElements().find(child => child.attrs.xmlns === CARBONS);
      const message = copy?.getChild('forwarded', 'urn:xmpp:forward:0')?.getChild('message', 'jabber:client') ?? stanza;
      const element = message.getChildElements().find(child => child.attrs.xmlns === JMI);
      if (!element) return [];
      assert.equal(element.attrs.id, sid);
      const short = (jid: string) => jid.replace(/\d+@localhost/, '');
      return [
        `${copy ? `${copy.name}: ` : ''}${element.name} ${short(message.attrs.from!)} > ${short(message.attrs.to!)}`,
      ];
    });
  const seen = async () => {
    const all: Record<string, string[]> = {};
    for (const [name, client] of Object.entries({ orchard, desk, phone, tablet }))
      all[name] = calls(await client.settle());
    return all;
  };
  const archived = async (client: TestClient) => calls((await ask(client)).results.map(({ message }) => message));
  const call = () => say(orchard, J, 'propose', DESCRIPTION);

  it('rings on all devices, is taken on one, stops ringing on the others, and ends on all (3.1 to 3.7)', async () => {
    call();
    assert.deepEqual(await seen(), {
      orchard: [],
      desk: ['sent: propose romeo/orchard > juliet'],
      phone: ['propose romeo/orchard > juliet'],
      tablet: ['received: propose romeo/orchard > juliet'],
    });
    say(phone, orchard.jid, 'ringing');
    assert.deepEqual(await seen(), {
      orchard: ['ringing juliet/phone > romeo/orchard'],
      desk: ['received: ringing juliet/phone > romeo/orchard'],
      phone: [],
      tablet: ['sent: ringing juliet/phone > romeo/orchard'],
    });
    say(phone, orchard.jid, 'proceed');
    assert.deepEqual(await seen(), {
      orchard: ['proceed juliet/phone > romeo/orchard'],
      desk: ['received: proceed juliet/phone > romeo/orchard'],
      phone: [],
      tablet: ['sent: proceed juliet/phone > romeo/orchard'],
    });

    // the session itself, between the two devices: XEP-0166
    const content = `<content creator='initiator' name='voice'>${DESCRIPTION}<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' pwd='asd88fgpdd777uzjYhagZg' ufrag='8hhy'><candidate component='1' foundation='1' generation='0' id='el0747fg11' ip='10.0.1.1' network='1' port='8998' priority='2130706431' protocol='udp' type='host'/></transport></content>`;
    const steps: [client: TestClient, other: TestClient, action: string, inside: string][] = [
      [orchard, phone, 'session-initiate', content],
      [phone, orchard, 'session-accept', content],
      [orchard, phone, 'transport-info', content],
      [phone, orchard, 'session-info', "<mute xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>"],
      [phone, orchard, 'session-terminate', '<reason><success/></reason>'],
    ];
    for (const [client, other, action, inside] of steps) {
      const asked = client.iq(
        'set',
        `<jingle xmlns='${JINGLE}' action='${action}' sid='${sid}'>${inside}</jingle>`,
        other.jid,
      );
      const request = await other.expect(({ name, attrs }) => name === 'iq' && attrs.type === 'set', action);
      assert.equal(request.attrs.from, client.jid);
      const jingle = request.getChild('jingle', JINGLE)!;
      assert.equal(jingle.attrs.action, action);
      assert.equal(jingle.children.map(String).join('').replaceAll('"', "'"), inside);
      other.send(`<iq type='result' id='${request.attrs.id}' to='${request.attrs.from}'/>`);
      assert.equal((await asked).attrs.type, 'result');
    }
    assert.deepEqual(await seen(), { orchard: [], desk: [], phone: [], tablet: [] });

    say(orchard, phone.jid, 'finish', reason('success'));
    say(phone, orchard.jid, 'finish', reason('success'));
    const finished = await seen();
    for (const device of ['orchard', 'desk', 'phone', 'tablet'])
      assert.equal(
        finished[device]!.filter(line => line.includes('finish')).length,
        ['orchard', 'phone'].includes(device) ? 1 : 2,
      );

    // 5: the archives of both have all of it, in order
    const expected = [
      'propose romeo/orchard > juliet',
      'ringing juliet/phone > romeo/orchard',
      'proceed juliet/phone > romeo/orchard',
    ];
    for (const client of [desk, tablet]) {
      const all = await archived(client);
      assert.deepEqual(all.slice(0, 3), expected);
      assert.deepEqual(all.slice(3).toSorted(), [
        'finish juliet/phone > romeo/orchard',
        'finish romeo/orchard > juliet/phone',
      ]);
    }
  });

  it('is rejected on one device for all, or taken back by the caller (3.3, 3.5)', async () => {
    call();
    await seen();
    say(tablet, orchard.jid, 'reject', reason('busy'));
    assert.deepEqual(await seen(), {
      orchard: ['reject juliet/tablet > romeo/orchard'],
      desk: ['received: reject juliet/tablet > romeo/orchard'],
      phone: ['sent: reject juliet/tablet > romeo/orchard'],
      tablet: [],
    });
    sid = `${sid}-again`;
    call();
    await seen();
    say(orchard, J, 'retract', reason('cancel'));
    assert.deepEqual(await seen(), {
      orchard: [],
      desk: ['sent: retract romeo/orchard > juliet'],
      phone: ['retract romeo/orchard > juliet'],
      tablet: ['received: retract romeo/orchard > juliet'],
    });
  });

  it('who was away finds in the archive that somebody called, and that it is over; nothing counts as unread (5)', async () => {
    await phone.end();
    await tablet.end();
    call();
    say(orchard, J, 'retract', reason('cancel'));
    assert.deepEqual(calls(await orchard.settle()), []);
    phone = await stage.login(`${J}/phone`);
    assert.deepEqual(await archived(phone), ['propose romeo/orchard > juliet', 'retract romeo/orchard > juliet']);
    const inbox = await phone.iq('get', "<inbox xmlns='urn:xmpp:inbox:1'/>");
    const entries = (await phone.settle()).flatMap(stanza => stanza.getChild('entry', 'urn:xmpp:inbox:1') ?? []);
    assert.equal(inbox.attrs.type, 'result');
    for (const entry of entries) assert.equal(entry.attrs.unread, '0');
  });

  it('without a hint it passes as well, to whoever is there, and leaves nothing behind', async () => {
    say(orchard, J, 'propose', DESCRIPTION, '');
    assert.deepEqual((await seen()).phone, ['propose romeo/orchard > juliet']);
    assert.deepEqual(await archived(tablet), []);
  });

  it('who is blocked does not ring (XEP-0191)', async () => {
    ok(await phone.iq('set', `<block xmlns='urn:xmpp:blocking'><item jid='${R}'/></block>`));
    call();
    assert.equal(condition(await orchard.message()), 'service-unavailable');
    assert.deepEqual((await seen()).phone, []);
    const asked = orchard.iq('set', `<jingle xmlns='${JINGLE}' action='session-initiate' sid='${sid}'/>`, phone.jid);
    assert.equal(condition(await asked), 'service-unavailable');
  });
});
