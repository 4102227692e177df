import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import { indexed, toWire } from '../../src/xml/index.ts';
import { addressingOf, isMentioned } from './mentions.ts';

const account = parseJid('juliet@capulet.example')!;
const room = parseJid('balcony@rooms.example')!;

function mentioned(body: string, inner = '', nicks = ['Juliet']): boolean {
  const stanza = indexed(toWire(`<message type='groupchat'><body>x</body>${inner}</message>`));
  return isMentioned(addressingOf(stanza, body), { account, room, nicks });
}

describe('push: who is mentioned in a group', () => {
  const reference = (uri: string, type = 'mention'): string =>
    `<reference xmlns='urn:xmpp:reference:0' type='${type}' uri='${uri}'/>`;

  it('by a reference to the account or the occupant (XEP-0372 3.2)', () => {
    assert.ok(mentioned('Hi', reference('xmpp:juliet@capulet.example')));
    assert.ok(mentioned('Hi', reference('xmpp:juliet@capulet.example?message')));
    assert.ok(mentioned('Hi', reference('xmpp:balcony@rooms.example/Juliet')));
    assert.ok(mentioned('Hi', reference('xmpp:balcony@rooms.example/J%C3%BCl'), ['Jül']));
    assert.ok(!mentioned('Hi', reference('xmpp:juliet@capulet.example', 'data')));
    for (const other of [
      'xmpp:nurse@capulet.example',
      'xmpp:other@rooms.example/Juliet',
      'https://x.example',
      '%',
      'xmpp:%zz@x',
    ])
      assert.ok(!mentioned('Hi', reference(other)), other);
  });

  it('by an answer to what she said (XEP-0461)', () => {
    const reply = (to: string): string => `<reply xmlns='urn:xmpp:reply:0' id='1' to='${to}'/>`;
    assert.ok(mentioned('Hi', reply('balcony@rooms.example/Juliet')));
    assert.ok(!mentioned('Hi', reply('balcony@rooms.example/Romeo')));
  });

  it('by her nickname or address in the text, as a word of its own', () => {
    for (const text of ['Juliet: hi', 'hi @juliet', 'O JULIET!', 'ask juliet@capulet.example', '(Juliet)'])
      assert.ok(mentioned(text), text);
    for (const text of ['Julietta', 'myJuliet', 'Juliet2', 'Juliet_x', 'nobody', '']) assert.ok(!mentioned(text), text);
    assert.ok(mentioned('Julietta and Juliet'));
    assert.ok(!mentioned('anything', '', ['']));
  });

  it('scripts without spaces have no words to be told apart', () => {
    assert.ok(mentioned('请朱丽叶回答', '', ['朱丽叶']));
    assert.ok(mentioned('こんにちはジュリエットさん', '', ['ジュリエット']));
    assert.ok(mentioned('Юлия, привет', '', ['юлия']));
    assert.ok(!mentioned('Юлиянна', '', ['юлия']));
    assert.ok(mentioned('🌹x', '', ['🌹']));
  });
});
