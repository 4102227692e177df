import assert from 'node:assert/strict';
import { Packet } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { bodyOf, worthOf } from './notable.ts';

const [from, to] = [parseJid('romeo@example.org/orchard')!, parseJid('juliet@example.org')!];
const packet = (inner: string, type = 'chat'): Packet =>
  Packet.fromWire(`<message type='${type}'>${inner}</message>`, from, to);
const worth = (inner: string, type?: string) => worthOf(packet(inner, type));

describe('push: what is worth waking somebody', () => {
  it('texts, encrypted ones too, calls and invitations', () => {
    assert.equal(worth('<body>Hi</body>'), 'message');
    assert.equal(worth('<body>Hi</body>', 'normal'), 'message');
    assert.equal(worth('<body>Hi</body>', 'groupchat'), 'message');
    assert.equal(worth(`<encrypted xmlns='urn:xmpp:omemo:2'><payload>x</payload></encrypted>`), 'message');
    assert.equal(worth(`<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp>`), 'message');
    assert.equal(worth(`<propose xmlns='urn:xmpp:jingle-message:0' id='a'/>`), 'call');
    assert.equal(worth(`<x xmlns='jabber:x:conference' jid='a@b'/>`, 'normal'), 'message');
    assert.equal(worth(`<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x>`, 'normal'), 'message');
  });

  it('and nothing else', () => {
    const carbon = `<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>`;
    for (const inner of [
      '',
      '<subject>x</subject>',
      `<active xmlns='http://jabber.org/protocol/chatstates'/>`,
      `<received xmlns='urn:xmpp:receipts' id='a'/>`,
      `<displayed xmlns='urn:xmpp:chat-markers:0' id='a'/>`,
      `<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='a'/>`,
      `<body>x</body><retract xmlns='urn:xmpp:message-retract:1' id='a'/>`,
      `<body>x</body><no-store xmlns='urn:xmpp:hints'/>`,
      `<encrypted xmlns='urn:xmpp:omemo:2'><header/></encrypted>`,
      `<proceed xmlns='urn:xmpp:jingle-message:0' id='a'/>`,
      `<x xmlns='http://jabber.org/protocol/muc#user'><item/></x>`,
      carbon,
    ])
      assert.equal(worth(inner), undefined, inner);
    for (const type of ['headline', 'error']) assert.equal(worth('<body>x</body>', type), undefined);
    assert.equal(worth(`<propose xmlns='urn:xmpp:jingle-message:0' id='a'/>`, 'groupchat'), undefined);
  });

  it('its text', () => {
    assert.equal(bodyOf(packet('<body>a &amp; b</body>')), 'a & b');
    assert.equal(bodyOf(packet('')), '');
  });
});
