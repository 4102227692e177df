import assert from 'node:assert/strict';
import { BodyReader } from './bosh-body.ts';
import { agree, type BoshPolicy } from './bosh-terms.ts';

const element = { bytes: 2000, depth: 20, attributes: 20, elements: 50 };
const ATTRS = "xmlns='http://jabber.org/protocol/httpbind' rid='7' sid='s'";

function read(text: string, step = text.length): BodyReader {
  const reader = new BodyReader({ bytes: 1000, element }, ({ sid }) => ({ bytes: sid === 's' ? 4000 : 500, element }));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
  reader.end();
  return reader;
}

describe('BodyReader (XEP-0124 6)', () => {
  it('gives the same, however the body is cut', () => {
    const text = `<?xml version='1.0'?>\n<body ${ATTRS} xmlns:x='urn:xmpp:xbosh' x:restart='true'>\n<iq xmlns='jabber:client'><a/></iq> <m>&lt;é</m>\n</body> \n`;
    for (let step = 1; step <= text.length; step++) {
      const reader = read(text, step);
      assert.equal(reader.fault, undefined);
      assert.equal(reader.head!.rid, 7);
      assert.equal(reader.head!.sid, 's');
      assert.equal(reader.head!.xmpp('restart'), 'true');
      assert.deepEqual(reader.payloads.map(String), [
        "<iq xmlns='jabber:client'><a/></iq>",
        "<m xmlns='jabber:client'>&lt;é</m>",
      ]);
      assert.equal(reader.size, Buffer.concat(reader.payloads).length);
    }
  });

  it('finds an attribute of a namespace under any of its prefixes', () => {
    const both = "xmlns:a='urn:xmpp:xbosh' xmlns:b='urn:xmpp:xbosh'";
    for (const prefix of ['a', 'b']) {
      const { head } = read(`<body ${ATTRS} ${both} ${prefix}:restart='true' restart='false'/>`);
      assert.equal(head!.xmpp('restart'), 'true');
      assert.equal(head!.xmpp('version'), undefined);
    }
  });

  it('refuses what follows the body, however it is cut', () => {
    for (const text of [`<body ${ATTRS}/>x`, `<body ${ATTRS}></body> <body/>`, `<body ${ATTRS}></body>\n>`]) {
      for (let step = 1; step <= text.length; step++)
        assert.equal(read(text, step).fault, 'bad-request', `${text} ${step}`);
    }
  });

  it('keeps nothing of a request that is none', () => {
    const { fault, payloads } = read(`<body ${ATTRS}><iq xmlns='jabber:client'/><`);
    assert.equal(fault, 'bad-request');
    assert.deepEqual(payloads, []);
  });

  it('has bounds for each element and for all, by whose it is', () => {
    const body = (size: number, sid = 's'): string =>
      `<body xmlns='http://jabber.org/protocol/httpbind' rid='7' sid='${sid}'>${`<m>${'x'.repeat(400)}</m>`.repeat(size)}</body>`;
    assert.equal(read(body(8)).fault, undefined);
    assert.equal(read(body(11)).fault, 'policy-violation');
    assert.equal(read(body(1, 'other')).fault, undefined);
    assert.equal(read(body(2, 'other')).fault, 'policy-violation');
    assert.equal(read(`<body ${ATTRS}><m>${'x'.repeat(2000)}</m></body>`).fault, 'policy-violation');
    // and none for white space without end
    assert.equal(read(`<body ${ATTRS}>${' '.repeat(5000)}</body>`, 100).fault, 'policy-violation');
  });
});

describe('what a BOSH session is granted (XEP-0124 7)', () => {
  const policy: BoshPolicy = {
    enabled: true,
    wait: 60,
    hold: 2,
    inactivity: 30,
    polling: 5,
    pause: 120,
    body: 1e6,
    sessions: 10,
  };
  const terms = (attrs: Record<string, string>) =>
    agree({ attrs: new Map(Object.entries(attrs)), rid: 1, sid: undefined, xmpp: () => undefined }, policy);

  it('is no more than asked for, and no more than allowed', () => {
    const { wait, hold, requests, ver } = terms({ wait: '90', hold: '9', ver: '1.10' })!;
    assert.deepEqual([wait, hold, requests, ver], [60, 2, 3, '1.10']);
    assert.deepEqual([terms({ wait: '5', hold: '1' })!.wait, terms({ wait: '5', hold: '1' })!.hold], [5, 1]);
  });

  it('is a version that both speak', () => {
    for (const [asked, given] of [
      ['1.6', '1.6'],
      ['1.11', '1.11'],
      ['1.12', '1.11'],
      ['2.0', '1.11'],
      ['0.9', '0.9'],
    ]) {
      assert.equal(terms({ ver: asked! })!.ver, given);
    }
    assert.equal(terms({})!.ver, undefined);
    for (const ver of ['', '1', '1.', 'x.y', '1.6.1']) assert.equal(terms({ ver }), undefined, ver);
  });

  it('leaves those that poll more time', () => {
    assert.equal(terms({ hold: '1' })!.inactivity, 30);
    assert.equal(terms({ hold: '0' })!.inactivity, 45);
    assert.equal(terms({ wait: '0' })!.polls, true);
  });
});
