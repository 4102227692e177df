import assert from 'node:assert/strict';
import { Jid, jidProblem, parseJid, prepareDomain, prepareLocal, prepareResource } from './index.ts';

const parts = (text: string) => {
  const jid = parseJid(text);
  return jid && [jid.local, jid.domain, jid.resource];
};

describe('jid: parsing', () => {
  // RFC 7622 3.5, table 1
  const VALID: [string, string, string, string][] = [
    ['juliet@example.com', 'juliet', 'example.com', ''],
    ['juliet@example.com/foo', 'juliet', 'example.com', 'foo'],
    ['juliet@example.com/foo bar', 'juliet', 'example.com', 'foo bar'],
    ['juliet@example.com/foo@bar', 'juliet', 'example.com', 'foo@bar'],
    ['foo\\20bar@example.com', 'foo\\20bar', 'example.com', ''],
    ['fussball@example.com', 'fussball', 'example.com', ''],
    ['fu\u00dfball@example.com', 'fu\u00dfball', 'example.com', ''],
    ['\u03c0@example.com', '\u03c0', 'example.com', ''],
    ['\u03a3@example.com/foo', '\u03c3', 'example.com', 'foo'],
    ['\u03c3@example.com/foo', '\u03c3', 'example.com', 'foo'],
    ['\u03c2@example.com/foo', '\u03c2', 'example.com', 'foo'],
    ['king@example.com/\u265a', 'king', 'example.com', '\u265a'],
    ['example.com', '', 'example.com', ''],
    ['example.com/foobar', '', 'example.com', 'foobar'],
    ['a.example.com/b@example.net', '', 'a.example.com', 'b@example.net'],
    // Erratum 4560: the table of what is no address has this one, wrongly
    ['juliet@example.com/ foo', 'juliet', 'example.com', ' foo'],
  ];
  for (const [text, local, domain, resource] of VALID) {
    it(`takes ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parts(text), [local, domain, resource]);
      assert.equal(jidProblem(text), undefined);
    });
  }

  // RFC 7622 3.5, table 2, each with what the owner of the address is told
  const INVALID: [string, RegExp][] = [
    ['"juliet"@example.com', /^the local part must not contain '"'$/],
    ['foo bar@example.com', /^the local part must not contain a space$/],
    ['@example.com/', /^the local part must not be empty$/],
    ['henry\u2163@example.com', /^the local part must not contain 'Ⅳ' \(U\+2163\)/],
    ['\u265a@example.com', /^the local part must not contain '♚' \(U\+265A\)/],
    ['juliet@', /^the domain part must not be empty$/],
    ['/foobar', /^the domain part must not be empty$/],
  ];
  for (const [text, problem] of INVALID) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(parseJid(text), undefined);
      assert.match(jidProblem(text) ?? '', problem);
    });
  }

  it('refuses what early Jabber software made of addresses', () => {
    const odd = ['', '@', '/', '@/', '@/x', 'a@/', 'a@/x', 'a@b/', 'b/', '@b', '@b/x', 'a@@b', 'a@b@c', 'a@b@c/d'];
    for (const text of [...odd, ' a@b', 'a @b', 'a@ b', 'a@b ', 'a:b@c', 'a&b@c', "a'b@c", 'a<b@c', 'a>b@c', 'a\t@c']) {
      assert.equal(parseJid(text), undefined, JSON.stringify(text));
      assert.match(jidProblem(text) ?? '', /^the (address|local part|domain part|resource part) must /);
    }
  });

  it('takes what looks odd and is allowed', () => {
    assert.deepEqual(parts('a/b@c/d'), ['', 'a', 'b@c/d']);
    assert.deepEqual(parts('a@b//'), ['a', 'b', '/']);
    assert.deepEqual(parts('a@b/ '), ['a', 'b', ' ']);
    assert.deepEqual(parts('a%b.net@c'), ['a%b.net', 'c', '']);
    assert.deepEqual(parts('-._~!$*()+,;=?#[]{}|^`\\@c'), ['-._~!$*()+,;=?#[]{}|^`\\', 'c', '']);
  });

  it('prepares each part its own way: local and domain lose their case, the resource keeps it', () => {
    assert.deepEqual(parts('JULIET@Example.COM./Balcony'), ['juliet', 'example.com', 'Balcony']);
  });

  it('refuses fullwidth forms of the characters that separate parts', () => {
    assert.equal(parseJid('a\uff20b@c'), undefined);
    assert.equal(parseJid('a\uff0fb@c'), undefined);
    assert.equal(parseJid('a@b\uff20c'), undefined);
    assert.equal(parseJid('a@b\uff0fc'), undefined);
  });

  it('refuses half a surrogate pair anywhere', () => {
    for (const text of ['a\ud83d@b', 'a@b\udc00', 'a@b/\ud83d', 'a@b/\ude00\ud83d', '\ud800']) {
      assert.equal(parseJid(text), undefined);
      assert.match(jidProblem(text) ?? '', /well-formed/);
    }
    assert.equal(parseJid('a@b/\ud83d\ude00')?.resource, '😀');
  });

  it('counts each part in bytes, up to 1023', () => {
    const label = 'a'.repeat(63);
    const domain = `${`${label}.`.repeat(15)}${'a'.repeat(63)}`; // 16 labels, 15 dots
    assert.equal(domain.length, 1023);
    const whole = `${'l'.repeat(1023)}@${domain}/${'r'.repeat(1023)}`;
    assert.equal(whole.length, 3071);
    assert.equal(parseJid(whole)?.full, whole);
    assert.equal(parseJid(`l${whole}`), undefined);
    assert.match(jidProblem(`l${whole}`) ?? '', /address must not be longer than 3071 bytes/);
    assert.equal(parseJid(`${'l'.repeat(1024)}@b`), undefined);
    assert.equal(parseJid(`a@${domain.slice(0, -1)}.a`), undefined);
    assert.equal(parseJid(`a@b/${'r'.repeat(1024)}`), undefined);
    assert.ok(parseJid(`${'ü'.repeat(511)}@b/${'\u20ac'.repeat(341)}`));
    assert.match(jidProblem(`${'ü'.repeat(512)}@b`) ?? '', /local part must not be longer than 1023 bytes/);
    assert.match(jidProblem(`a@b/${'\u20ac'.repeat(342)}`) ?? '', /resource part must not be longer than 1023 bytes/);
  });

  it('counts after preparation: what normalisation makes shorter may be longer before it', () => {
    const decomposed = 'u\u0308'.repeat(511); // 1533 bytes, 1022 as ü
    assert.equal(prepareLocal(decomposed), 'ü'.repeat(511));
    assert.equal(prepareResource(decomposed), 'ü'.repeat(511));
  });

  it('refuses megabytes whatever they are made of', () => {
    for (const unit of ['a', 'ü', '.', 'xn--', '\ud800', '/', '@', '\u200c']) {
      const text = unit.repeat(1_000_000);
      for (const f of [parseJid, prepareLocal, prepareDomain, prepareResource]) assert.equal(f(text), undefined);
    }
  });
});

describe('jid: objects', () => {
  it('gives one object for one address, however it was written', () => {
    const jid = parseJid('Table@Example.net/Here');
    assert.ok(jid);
    assert.equal(parseJid('Table@Example.net/Here'), jid);
    assert.equal(parseJid('table@example.net/Here'), jid);
    assert.equal(parseJid('TABLE@example.net./Here'), jid);
    assert.equal(parseJid('table@example.net'), jid.toBare());
  });

  it('equals by address, also where nothing is interned', () => {
    const long = `a@b/${'r'.repeat(300)}`;
    const [one, other] = [parseJid(long), parseJid(long)];
    assert.ok(one && other);
    assert.notEqual(one, other);
    assert.ok(one.equals(other));
    assert.ok(!one.equals(one.toBare()));
    assert.ok(!parseJid('a@b/r')?.equals(parseJid('a@b/R')!));
  });

  it('tells bare from full and domains from accounts', () => {
    const flags = (text: string) => [parseJid(text)?.isBare, parseJid(text)?.isDomain];
    assert.deepEqual(flags('a@b'), [true, false]);
    assert.deepEqual(flags('a@b/c'), [false, false]);
    assert.deepEqual(flags('b'), [true, true]);
    assert.deepEqual(flags('b/c'), [false, true]);
  });

  it('gives and takes resources', () => {
    const full = new Jid('a', 'b', 'c');
    assert.deepEqual([full.bare, full.full, full.toString()], ['a@b', 'a@b/c', 'a@b/c']);
    const bare = full.toBare();
    assert.equal(full.toBare(), bare);
    assert.equal(bare.toBare(), bare);
    assert.equal(bare.full, 'a@b');
    assert.equal(bare.withResource('d/e').full, 'a@b/d/e');
    assert.equal(bare.withResource('d').toBare(), bare);
    assert.equal(full.withResource('c'), full);
    assert.equal(full.withResource(''), bare);
    assert.deepEqual([new Jid('', 'b', '').full, new Jid('', 'b', 'c').full], ['b', 'b/c']);
  });

  it('still knows an address after a flood of others', () => {
    const jid = parseJid('steady@example.net');
    for (let i = 0; i < 70_000; i++) {
      parseJid(`flood${i}@example.net`);
      if (i % 10_000 === 0) assert.equal(parseJid('steady@example.net'), jid);
    }
    assert.equal(parseJid('steady@example.net'), jid);
  });
});
