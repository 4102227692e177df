import assert from 'node:assert/strict';
import { packet } from '../../test/kit/wire.ts';
import { Deferred } from './deferred.ts';

function kept(markup: string): boolean {
  return new Deferred().keep(packet(markup));
}

describe('Deferred: what an inactive client can wait for (XEP-0352)', () => {
  it('presence, available and not', () => {
    assert.equal(kept(`<presence from='a@localhost/1'/>`), true);
    assert.equal(kept(`<presence from='a@localhost/1' type='unavailable'/>`), true);
  });

  it('not what asks something of the user', () => {
    for (const type of ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'probe', 'error']) {
      assert.equal(kept(`<presence from='a@localhost' type='${type}'/>`), false, type);
    }
  });

  it('messages with nothing but a chat state are left out, others are not', () => {
    const state = `<composing xmlns='http://jabber.org/protocol/chatstates'/>`;
    assert.equal(kept(`<message type='chat'>${state}</message>`), true);
    assert.equal(
      kept(`<message type='chat'>${state}<thread>t</thread><no-store xmlns='urn:xmpp:hints'/></message>`),
      true,
    );
    assert.equal(kept(`<message type='chat'>${state}<body>Hi</body></message>`), false);
    assert.equal(kept(`<message type='chat'><received xmlns='urn:xmpp:receipts' id='1'/></message>`), false);
    assert.equal(kept(`<message type='error'>${state}</message>`), false);
    assert.equal(kept(`<message/>`), false);
    assert.equal(kept(`<iq type='get' id='1'>${state}</iq>`), false);
  });

  it('keeps the newest presence of each sender, in the order of the newest', () => {
    const deferred = new Deferred();
    const come = (markup: string): boolean => deferred.keep(packet(markup));
    come(`<presence from='a@localhost/1'><show>away</show></presence>`);
    come(`<presence from='b@localhost/1'/>`);
    come(`<presence from='a@localhost/2'/>`);
    come(`<presence from='a@localhost/1' type='unavailable'/>`);
    assert.equal(deferred.size, 3);
    assert.deepEqual(
      deferred.take().map(p => `${p.from.full} ${p.type}`),
      ['b@localhost/1 ', 'a@localhost/2 ', 'a@localhost/1 unavailable'],
    );
    assert.equal(deferred.size, 0);
    assert.deepEqual(deferred.take(), []);
  });

  it('is bounded, and still takes newer presence of those it knows', () => {
    const deferred = new Deferred();
    let known = 0;
    while (deferred.keep(packet(`<presence from='u${known}@localhost/1'/>`))) known++;
    assert.equal(known, deferred.size);
    assert.equal(deferred.keep(packet(`<presence from='u0@localhost/1' type='unavailable'/>`)), true);
    assert.equal(deferred.size, known);
  });
});
