import assert from 'node:assert/strict';
import { BARE, Packet } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { indexed } from '../../src/xml/index.ts';
import { cameAt, type Fate, fateOf, removeForgedStamps, stamped } from './storable.ts';

const from = parseJid('romeo@example.org/orchard')!;
const to = parseJid('juliet@example.org')!;
const body = '<body>x</body>';
const hint = (name: string) => `<${name} xmlns='urn:xmpp:hints'/>`;
const active = `<active xmlns='http://jabber.org/protocol/chatstates'/>`;

const CASES: [name: string, wire: string, fate: Fate][] = [
  ['chat', `<message type='chat'>${body}</message>`, 'store'],
  ['normal', `<message>${body}</message>`, 'store'],
  ['headline', `<message type='headline'>${body}</message>`, 'refuse'],
  ['groupchat', `<message type='groupchat'>${body}</message>`, 'refuse'],
  ['error', `<message type='error'>${body}</message>`, 'refuse'],
  ['a chat state alone', `<message type='chat'>${active}<thread>t</thread></message>`, 'drop'],
  ['a chat state with a body', `<message type='chat'>${active}${body}</message>`, 'store'],
  ['nothing', `<message type='chat'/>`, 'store'],
  ['a receipt', `<message><received xmlns='urn:xmpp:receipts' id='a'/></message>`, 'store'],
  ['a marker', `<message type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='a'/></message>`, 'store'],
  [
    'something encrypted',
    `<message type='chat'><encrypted xmlns='eu.siacs.conversations.axolotl'/></message>`,
    'store',
  ],
  ['no-store with a body', `<message type='chat'>${body}${hint('no-store')}</message>`, 'refuse'],
  ['no-store without a body', `<message type='chat'><x xmlns='urn:x'/>${hint('no-store')}</message>`, 'drop'],
  ['no-permanent-store', `<message type='chat'>${body}${hint('no-permanent-store')}</message>`, 'store'],
  ['a chat state with store', `<message type='chat'>${active}${hint('store')}</message>`, 'store'],
];

describe('which messages wait (XEP-0160 3, XEP-0334)', () => {
  for (const [name, wire, fate] of CASES) {
    it(`${name}: ${fate}`, () => assert.equal(fateOf(Packet.fromWire(wire, from, to)), fate));
  }

  it('a message is stamped by its recipient’s server, with the time it came', () => {
    const packet = Packet.fromWire(`<message type='chat'>${body}</message>`, from, to);
    packet.address = BARE;
    const { attrs } = indexed(stamped(packet, 1_700_000_000_123)).element().getChild('delay', 'urn:xmpp:delay')!;
    assert.equal(attrs.from, 'example.org');
    assert.equal(attrs.stamp, '2023-11-14T22:13:20.123Z');
    assert.ok(!packet.wire().includes('delay'), 'the packet itself stays as it is');
  });

  it('a stamp that it has from its server stays the only one, others stay beside', () => {
    const delay = (by: string) => `<delay xmlns='urn:xmpp:delay' from='${by}' stamp='2020-01-01T00:00:00Z'/>`;
    const old = Packet.fromWire(`<message>${body}${delay('example.org')}</message>`, from, to);
    assert.equal(indexed(stamped(old, 0)).element().getChildren('delay').length, 1);
    const appended = Packet.fromWire(`<message>${body}</message>`, from, to);
    appended.append(delay('example.org'));
    assert.equal(indexed(stamped(appended, 0)).element().getChildren('delay').length, 1);
    const others = Packet.fromWire(`<message>${body}${delay('room.example.org')}</message>`, from, to);
    assert.equal(indexed(stamped(others, 0)).element().getChildren('delay').length, 2);
  });

  it('came when its recipient’s server says, and now where that says nothing', () => {
    const delay = (by: string, stamp: string) => `<delay xmlns='urn:xmpp:delay' from='${by}' stamp='${stamp}'/>`;
    const old = Packet.fromWire(`<message>${body}${delay('a@b', '2019-01-01T00:00:00Z')}</message>`, from, to);
    assert.ok(Date.now() - cameAt(old) < 1000);
    old.append(delay('example.org', '2020-01-01T00:00:00Z'));
    assert.equal(cameAt(old), Date.UTC(2020, 0, 1));
    assert.ok(Date.now() - cameAt(Packet.fromWire(`<message>${delay('example.org', 'x')}</message>`, from, to)) < 1000);
  });

  it('a stamp in the server’s name that came from outside goes', () => {
    const delays = `<delay xmlns='urn:xmpp:delay' from='example.org' stamp='x'/><delay xmlns='urn:xmpp:delay' from='a@b' stamp='x'/>`;
    const packet = Packet.fromWire(`<message>${body}${delays}</message>`, from, to);
    removeForgedStamps(packet);
    const left = packet.element().getChildren('delay');
    assert.deepEqual(
      left.map(({ attrs }) => attrs.from),
      ['a@b'],
    );
  });
});
