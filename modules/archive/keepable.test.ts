import assert from 'node:assert/strict';
import { Packet } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { isKeepable, isText } from './keepable.ts';

const from = parseJid('juliet@example.org/balcony')!;
const to = parseJid('romeo@example.org/orchard')!;
const BODY = '<body>x</body>';
const STORE = "<store xmlns='urn:xmpp:hints'/>";
const STATE = "<active xmlns='http://jabber.org/protocol/chatstates'/>";

const CASES: [name: string, wire: string, kept: boolean, text: boolean][] = [
  ['chat', `<message type='chat'>${BODY}</message>`, true, true],
  ['normal', `<message>${BODY}</message>`, true, true],
  ['an empty one', `<message/>`, false, false],
  ['headline', `<message type='headline'>${BODY}</message>`, false, true],
  ['groupchat', `<message type='groupchat'>${BODY}${STORE}</message>`, false, true],
  ['error', `<message type='error'>${BODY}${STORE}</message>`, false, true],
  ['no-store', `<message type='chat'>${BODY}<no-store xmlns='urn:xmpp:hints'/></message>`, false, true],
  [
    'no-permanent-store',
    `<message type='chat'>${BODY}<no-permanent-store xmlns='urn:xmpp:hints'/></message>`,
    false,
    true,
  ],
  ['no-store goes before store', `<message>${BODY}${STORE}<no-store xmlns='urn:xmpp:hints'/></message>`, false, true],
  ['store', `<message type='chat'><thing xmlns='urn:x'/>${STORE}</message>`, true, false],
  ['an unknown payload', `<message type='chat'><thing xmlns='urn:x'/></message>`, false, false],
  ['a chat state', `<message type='chat'>${STATE}</message>`, false, false],
  ['a chat state with text', `<message type='chat'>${STATE}${BODY}</message>`, true, true],
  ['a receipt', `<message><received xmlns='urn:xmpp:receipts' id='a'/></message>`, true, false],
  ['a receipt request alone', `<message><request xmlns='urn:xmpp:receipts'/></message>`, false, false],
  ['displayed', `<message><displayed xmlns='urn:xmpp:chat-markers:0' id='a'/></message>`, true, false],
  ['markable alone', `<message><markable xmlns='urn:xmpp:chat-markers:0'/></message>`, false, false],
  ['a reaction', `<message><reactions xmlns='urn:xmpp:reactions:0' id='a'/></message>`, true, false],
  ['a retraction', `<message><retract xmlns='urn:xmpp:message-retract:1' id='a'/>${BODY}</message>`, true, false],
  ['a correction', `<message><replace xmlns='urn:xmpp:message-correct:0' id='a'/>${BODY}</message>`, true, false],
  [
    'encrypted',
    `<message><encrypted xmlns='urn:xmpp:omemo:2'><payload>b2s=</payload></encrypted></message>`,
    true,
    true,
  ],
  ['OX', `<message><openpgp xmlns='urn:xmpp:openpgp:0'>b2s=</openpgp></message>`, true, true],
  ['keys alone', `<message><encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/></encrypted></message>`, true, false],
  [
    'keys alone, said to be encrypted',
    `<message><encryption xmlns='urn:xmpp:eme:0'/><encrypted xmlns='eu.siacs.conversations.axolotl'/></message>`,
    true,
    false,
  ],
  ['an invitation', `<message><x xmlns='jabber:x:conference' jid='a@b'/></message>`, true, false],
  [
    'a mediated invitation',
    `<message><x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x></message>`,
    true,
    false,
  ],
  ["an occupant's state", `<message><x xmlns='http://jabber.org/protocol/muc#user'/></message>`, false, false],
];

describe('what an archive keeps (XEP-0313 6.1, XEP-0334 4)', () => {
  for (const [name, wire, kept, text] of CASES) {
    it(`${name}: ${kept ? '' : 'not '}kept, ${text ? '' : 'no '}text`, () => {
      const packet = Packet.fromWire(wire, from, to);
      assert.equal(isKeepable(packet), kept);
      assert.equal(isText(packet), text);
    });
  }
});
