import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { escapeAttribute, Scanner, serialize, type Stanza, xml } from '../../src/xml/index.ts';
import { documents } from './documents.ts';
import { peerReads, type Tree } from './kit.ts';
import { Empty } from '../../src/bus/index.ts';
import { IQ, type Kind, KINDS, MESSAGE, Packet, PRESENCE, stanzaType } from '../../src/bus/packet.ts';
import type { SessionView } from '../../src/bus/session-view.ts';

const CLIENT = 'jabber:client';
const HEADER = `<stream:stream xmlns='${CLIENT}' xmlns:stream='http://etherx.jabber.org/streams' xmlns:x='urn:x'>`;

/** The stanzas of a stream, until the first fault. */
function read(markup: string): Stanza[] {
  const found: Stanza[] = [];
  const sink = {
    onHeader: () => {},
    onStanza: (each: Stanza) => void found.push(each),
    onClose: () => {},
    onFault: () => {},
  };
  new Scanner(sink, { bytes: 100_000, depth: 50, attributes: 50, elements: 1000 }).push(Buffer.from(HEADER + markup));
  return found;
}

const jid = (text: string): Jid => parseJid(text)!;
const from = jid('romeo@example.net/orchard');
const to = jid(`juliet@example.com/<b>"&'\u00e9\u{1f600}`);

function packet(stanza: Stanza, receiver: Jid | undefined, sender?: SessionView): Packet {
  const kind = KINDS.indexOf(stanza.name as 'message') as Kind;
  return new Packet(kind, stanza, stanzaType(kind, stanza.type), from, receiver, sender);
}

/** What the receiver of a packet must read: the stanza with the server's addresses, whatever addresses it claimed. */
function meant(stanza: Stanza, receiver: Jid | undefined, more: readonly Tree[] = []): Tree {
  const own = peerReads(stanza.raw);
  const attrs: Record<string, string> = { ...own.attrs, from: from.full };
  delete attrs.to;
  if (receiver) attrs.to = receiver.full;
  return { name: own.name, attrs, children: [...own.children, ...more] };
}

const STANZAS = [
  '<message/>',
  '<message />',
  '<message></message>',
  '<message ></message>',
  `<message to='a'/>`,
  `<message to="a" from='b' id='c' xmlns='${CLIENT}'/>`,
  `<message id='c' to='a'>x</message>`,
  `<message xmlns='${CLIENT}' from="b" type="chat" to='a' xml:lang="en"><body>y</body></message>`,
  `<message id='/'><body>/</body></message>`,
  `<message id='/>'/>`,
  `<message too='1' fro='2' xmlnsx='3' to='4'><to/></message>`,
  `<message to='&lt;&amp;&apos;' id="'"><body>\u00e9</body></message>`,
  `<presence from='admin@example.org'><show>away</show><message/></presence>`,
  `<iq type='get' id='1' to='a'><query xmlns='urn:q'/></iq>`,
  // outside the canonical subset
  `<message  to = 'a'\n from="b" x:from='c'><body><![CDATA[</message>]]></body></message>`,
  `<c:message xmlns:c='${CLIENT}' to='a' xmlns='urn:other'><c:body>b</c:body><d/></c:message>`,
];

describe('A packet on the wire, as its receiver reads it', () => {
  for (const markup of STANZAS) {
    it(JSON.stringify(markup), () => {
      const [stanza] = read(markup);
      assert.ok(stanza);
      for (const receiver of [to, undefined]) {
        assert.deepEqual(peerReads(packet(stanza, receiver).wire()), meant(stanza, receiver));
        assert.deepEqual(peerReads(packet(stanza, receiver).wireInside()), meant(stanza, receiver));
        const more = packet(stanza, receiver);
        more.append(`<a xmlns='urn:a'/>`);
        more.appendElement(xml('b', 'urn:b', '&'));
        const added: Tree[] = [
          { name: '{urn:a}a', attrs: {}, children: [] },
          { name: '{urn:b}b', attrs: {}, children: ['&'] },
        ];
        assert.deepEqual(peerReads(more.wire()), meant(stanza, receiver, added));
        assert.deepEqual(peerReads(more.readdressed(receiver).wire()), meant(stanza, receiver, added));
      }
    });
  }

  it('children taken away, any of them, with more added', () => {
    const [stanza] = read(`<message to='a'>0<a/>1<b>2</b>3<c xmlns='d'/><e>4</e></message>`);
    const kids = [...stanza!.children()];
    for (let which = 0; which < 16; which++) {
      for (const extra of ['', '<z/>']) {
        const each = packet(stanza!, to);
        // taken in any order
        for (const k of [2, 0, 3, 1]) if ((which >> k) & 1) each.remove(kids[k]!);
        if (extra) each.append(extra);
        const left = ['0', '<a/>', '1', '<b>2</b>', '3', `<c xmlns='d'/>`, '<e>4</e>'].filter(
          (_, at) => ![1, 3, 5, 6].some((place, k) => place === at && (which >> k) & 1),
        );
        const [plain] = read(`<message>${left.join('')}${extra}</message>`);
        assert.deepEqual(peerReads(each.wire()), meant(plain!, to));
        assert.equal(each.has('a', CLIENT), (which & 1) === 0);
        assert.equal(each.has('c', 'd'), (which & 4) === 0);
      }
    }
  });

  it('the language of the stream, where the stanza has none of its own and is no IQ (RFC 6120 8.1.5)', () => {
    const sender = { lang: `de'"` } as SessionView;
    const LANG = '{http://www.w3.org/XML/1998/namespace}lang';
    const lang = (markup: string): string | undefined =>
      peerReads(packet(read(markup)[0]!, to, sender).wire()).attrs[LANG];
    assert.equal(lang('<message/>'), `de'"`);
    assert.equal(lang(`<presence a='b'/>`), `de'"`);
    assert.equal(lang(`<message xml:lang='en'/>`), 'en');
    assert.equal(lang(`<message  xml:lang='en'/>`), 'en');
    assert.equal(lang(`<iq type='get' id='1'/>`), undefined);
  });

  it('answers: a result, and an error with what was sent', () => {
    const [stanza] = read(`<iq type='get' id='a&amp;"b' to='x'><query xmlns='urn:q'>\u00e9</query></iq>`);
    const result = peerReads(packet(stanza!, to).resultWire(xml('query', 'urn:q')));
    assert.deepEqual(result.attrs, { type: 'result', id: 'a&"b', from: to.full, to: from.full });
    assert.deepEqual(result.children, [{ name: '{urn:q}query', attrs: {}, children: [] }]);
    assert.deepEqual(peerReads(packet(stanza!, to).resultWire(Empty)).children, []);
  });

  it('packets of the server itself', () => {
    const element = xml(
      'message',
      { from: 'nobody', to: 'nowhere', type: 'headline', id: '\u00e9' },
      xml('body', {}, '<>'),
    );
    const each = Packet.of(element, from, to);
    assert.equal(each.kind, MESSAGE);
    assert.equal(each.hasBody, true);
    assert.deepEqual(
      peerReads(each.wire()),
      meant(read(Buffer.from(serialize(element, CLIENT), 'latin1').toString())[0]!, to),
    );
    assert.equal(Packet.fromWire('<presence/>', from, undefined).kind, PRESENCE);
    assert.equal(Packet.fromWire(`<iq type='get'/>`, from, undefined).kind, IQ);
    assert.equal(each.element().getChildText('body'), '<>');
  });

  it('generated stanzas', () => {
    let seen = 0;
    fc.assert(
      fc.property(documents, fc.string({ unit: 'binary', maxLength: 5 }), (content, added) => {
        for (const each of read(content)) {
          if (each.xmlns !== CLIENT || !KINDS.includes(each.name as 'message')) continue;
          seen++;
          const wired = packet(each, to);
          assert.deepEqual(peerReads(wired.wire()), meant(each, to));
          wired.append(`<a b='${Buffer.from(escapeAttribute(added.toWellFormed())).latin1Slice()}'/>`);
          const value = added.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd');
          assert.deepEqual(
            peerReads(wired.wire()),
            meant(each, to, [{ name: `{${CLIENT}}a`, attrs: { b: value }, children: [] }]),
          );
        }
      }),
      { numRuns: 400 },
    );
    assert.ok(seen > 10, `${seen}`);
  });
});
