import assert from 'node:assert/strict';
import { packet } from '../../test/kit/wire.ts';
import { idOfChild, isStory, markOf, sayingOf, subjectOf } from './marks.ts';
import { ASKS, DISPLAYED, ERROR, RECEIVED } from './notes.ts';

const RECEIPTS = "xmlns='urn:xmpp:receipts'";
const MARKERS = "xmlns='urn:xmpp:chat-markers:0'";
const message = (content: string, attributes = "type='chat'") =>
  packet(`<message from='a@example.org/1' to='b@example.org' ${attributes}>${content}</message>`);

describe('what a message says of another one', () => {
  for (const [content, says, id] of [
    ['<body>x</body>', 0, undefined],
    [`<body>x</body><request ${RECEIPTS}/>`, ASKS, undefined],
    [`<received ${RECEIPTS} id='m1'/>`, RECEIVED, 'm1'],
    [`<received id="m'1" ${RECEIPTS}/>`, RECEIVED, "m'1"],
    [`<received ${RECEIPTS} id='a&amp;b'/>`, RECEIVED, 'a&b'],
    [`<received ${RECEIPTS} id='é🌹'/>`, RECEIVED, 'é🌹'],
    [`<received ${RECEIPTS}/>`, RECEIVED, undefined],
    [`<displayed ${MARKERS} id='m1'/>`, DISPLAYED, 'm1'],
    [`<acknowledged ${MARKERS} id='m1'/>`, DISPLAYED, 'm1'],
    [`<received ${MARKERS} id='m1'/>`, RECEIVED, 'm1'],
    [`<body>x</body><markable ${MARKERS}/>`, 0, undefined],
  ] as const) {
    it(content, () => assert.deepEqual(sayingOf(message(content).stanza), { says, id }));
  }

  it('an error, by the id of what it answers', () => {
    assert.deepEqual(sayingOf(message('<error/>', "type='error' id='m1'").stanza), { says: ERROR, id: 'm1' });
  });
});

describe('a client’s own ids', () => {
  it('are numbers, the same for the same id only', () => {
    assert.equal(markOf(undefined), 0);
    const ids = Array.from({ length: 20_000 }, (_, i) => [`m${i}`, `3f0c6c2b-9a1d-4e5f-6a7b-${i}`]).flat();
    assert.equal(new Set(ids.map(markOf)).size, ids.length);
  });

  it('are two: that of the stanza, and XEP-0359’s', () => {
    const origin = (id: string): string => `<body>x</body><origin-id xmlns='urn:xmpp:sid:0' id='${id}'/>`;
    const same = subjectOf(message(origin('m1'), "id='m1'"));
    assert.deepEqual([same.mark, same.origin], [markOf('m1'), markOf('m1')]);
    const other = subjectOf(message(origin('o&lt;1'), "id='m1'"));
    assert.deepEqual([other.mark, other.origin], [markOf('m1'), markOf('o<1')]);
    assert.equal(subjectOf(message('<body/>')).origin, 0);
  });

  it('stand where they stand', () => {
    const of = (child: string) => idOfChild(message(child).stanza, 'x', 'urn:x');
    assert.equal(of("<x xmlns='urn:x'><y id='inner'/></x>"), undefined);
    for (const others of [
      "other=' id=1'",
      "other=' id=' y='1'",
      "other='a id=' y='1'",
      'other="b\' id=\'1"',
      "other='>'",
    ])
      assert.equal(of(`<x xmlns='urn:x' ${others} id='2'/>`), '2', others);
    assert.equal(of("<x id='2' xmlns='urn:x'/>"), '2');
  });
});

describe('what is worth a story', () => {
  it('is every message but chat states', () => {
    assert.equal(isStory(message("<composing xmlns='http://jabber.org/protocol/chatstates'/>")), false);
    assert.equal(isStory(message("<body>x</body><active xmlns='http://jabber.org/protocol/chatstates'/>")), true);
    assert.equal(isStory(message(`<received ${RECEIPTS} id='m1'/>`)), true);
    assert.equal(isStory(packet("<presence from='a@example.org/1'/>")), false);
  });
});
