import assert from 'node:assert/strict';
import { jidProblem, prepareDomain } from '../index.ts';

describe('jid: domainparts', () => {
  const TAKEN: [string, string][] = [
    ['example.com', 'example.com'],
    ['localhost', 'localhost'],
    ['Example.COM', 'example.com'],
    ['example.com.', 'example.com'],
    ['1.2.3.4', '1.2.3.4'],
    ['3com.example', '3com.example'],
    ['a-b--c.example', 'a-b--c.example'],
    ['a'.repeat(63), 'a'.repeat(63)],
    ['b\u00fccher.example', 'b\u00fccher.example'],
    ['B\u00dcCHER.example', 'b\u00fccher.example'],
    ['bu\u0308cher.example', 'b\u00fccher.example'],
    ['xn--bcher-kva.example', 'b\u00fccher.example'],
    ['XN--BCHER-KVA.Example.', 'b\u00fccher.example'],
    ['fa\u00df.de', 'fa\u00df.de'],
    ['xn--fa-hia.de', 'fa\u00df.de'],
    ['\u03c6\u03c9\u03c2.example', '\u03c6\u03c9\u03c2.example'],
    ['\u03a6\u03a9\u03a3', '\u03c6\u03c9\u03c3'],
    ['\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45\uff0e\uff43\uff4f\uff4d', 'example.com'],
    ['\u4f8b\u3048\u3002\u30c6\u30b9\u30c8\u3002', '\u4f8b\u3048.\u30c6\u30b9\u30c8'],
    ['\u05d0\u05d1.\u05d2', '\u05d0\u05d1.\u05d2'],
    ['\u0915\u094d\u200d\u0937', '\u0915\u094d\u200d\u0937'],
    ['l\u00b7l.cat', 'l\u00b7l.cat'],
    ['\u30a2\u30fb\u30a2.jp', '\u30a2\u30fb\u30a2.jp'],
    ['[::1]', '[::1]'],
    ['[2001:DB8::FFFF:1]', '[2001:db8::ffff:1]'],
    ['[::ffff:192.0.2.1]', '[::ffff:192.0.2.1]'],
    ['[v1.fe]', '[v1.fe]'],
  ];
  for (const [text, prepared] of TAKEN) {
    it(`takes ${text}`, () => assert.equal(prepareDomain(text), prepared));
  }

  const REFUSED: [string, RegExp][] = [
    ['', /empty/],
    ['.', /empty/],
    ['..', /empty/],
    ['.a', /empty label/],
    ['a..b', /empty label/],
    ['a..', /empty label/],
    ['\u3002\u00fc', /empty label/],
    ['-a', /'-'/],
    ['a-.b', /'-'/],
    ['ab--c', /'-'/],
    ['a_b', /'_'/],
    ['a b', /U\+0020/],
    ['a%b', /'%'/],
    ['a:5222', /':'/],
    ['a@b', /'@'/],
    ['a'.repeat(64), /more than 63 bytes/],
    ['\u00fc'.repeat(63), /more than 63 bytes/],
    ['\u2603.net', /U\+2603/],
    ['\u2121.example', /U\+2121/],
    ['a\u00adb.example', /U\+00AD/],
    ['a\u00b7b.example', /U\+00B7/],
    ['a\u30fbb.example', /U\+30FB/],
    ['a\u200db.example', /U\+200D/],
    ['\u0378.example', /U\+0378/],
    ['\u0300a.example', /IDNA2008/],
    ['\u00fc-.example', /IDNA2008/],
    ['\u05d0a.example', /IDNA2008/],
    ['\u05d0.1a', /IDNA2008/],
    ['xn--', /domain part/],
    ['xn--a', /IDNA2008/],
    ['xn--\u00fc', /IDNA2008/],
    ['xn--n3h.net', /U\+2603/],
    ['xn--99999999999', /IDNA2008/],
    ['xn--Bcher-kvA-', /IDNA2008/],
    ['a\u{1d165}', /U\+1D165/],
    ['a\u20d0', /U\+20D0/],
    ['[::1', /brackets/],
    ['[]', /brackets/],
    ['[::1]:5222', /brackets/],
    ['[1.2.3.4]', /brackets/],
    ['[::1%eth0]', /brackets/],
    ['[1:2:3]', /brackets/],
    ['[::12345]', /brackets/],
    ['::1', /':'/],
  ];
  for (const [text, problem] of REFUSED) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(prepareDomain(text), undefined);
      if (text !== '') assert.match(jidProblem(`x@${text}`) ?? '', text === 'a@b' ? /'@'/ : problem);
    });
  }
});
