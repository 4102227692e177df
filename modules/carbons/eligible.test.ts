import assert from 'node:assert/strict';
import { Packet } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { isEligible } from './eligible.ts';
import { SentIds } from './sent-ids.ts';

const from = parseJid('juliet@example.org/balcony')!;
const to = parseJid('romeo@example.org/orchard')!;
const MUC_USER = 'http://jabber.org/protocol/muc#user';

const CASES: [name: string, wire: string, sent: boolean, received: boolean][] = [
  ['chat', `<message type='chat'/>`, true, true],
  ['normal with a body', `<message><body>x</body></message>`, true, true],
  ['normal without a body', `<message><thing xmlns='urn:x'/></message>`, false, false],
  ['a receipt', `<message><received xmlns='urn:xmpp:receipts' id='a'/></message>`, true, true],
  ['a chat state', `<message><active xmlns='http://jabber.org/protocol/chatstates'/></message>`, true, true],
  ['a marker', `<message><displayed xmlns='urn:xmpp:chat-markers:0' id='a'/></message>`, true, true],
  ['headline', `<message type='headline'><body>x</body></message>`, false, false],
  ['groupchat', `<message type='groupchat'><body>x</body></message>`, false, false],
  ['private', `<message type='chat'><body>x</body><private xmlns='urn:xmpp:carbons:2'/></message>`, false, false],
  ['no-copy', `<message type='chat'><body>x</body><no-copy xmlns='urn:xmpp:hints'/></message>`, false, false],
  ['a copy', `<message type='chat'><received xmlns='urn:xmpp:carbons:2'/></message>`, false, false],
  ['a direct invitation', `<message><x xmlns='jabber:x:conference' jid='a@b'/></message>`, true, true],
  ['a mediated invitation', `<message><x xmlns='${MUC_USER}'><invite from='a@b'/></x></message>`, true, true],
  [
    "an occupant's private message",
    `<message type='chat'><body>x</body><x xmlns='${MUC_USER}'/></message>`,
    true,
    false,
  ],
];

describe('carbon copies (XEP-0280 6.1)', () => {
  for (const [name, wire, sent, received] of CASES) {
    it(`${name}: ${sent ? '' : 'not '}copied when sent, ${received ? '' : 'not '}when received`, () => {
      const packet = Packet.fromWire(wire, from, to);
      assert.equal(isEligible(packet, 'sent'), sent);
      assert.equal(isEligible(packet, 'received'), received);
    });
  }

  it('remembers the last ids that were sent, and to whom', () => {
    const ids = new SentIds();
    for (let i = 0; i <= SentIds.MAX; i++) ids.add(`m${i}`, 'a@b');
    assert.equal(ids.has('m0', 'a@b'), false);
    assert.equal(ids.has('m1', 'a@b'), true);
    assert.equal(ids.has('m1', 'c@d'), false);
  });
});
