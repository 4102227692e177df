import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeAuth, decodeBase64, decodeResponse, encodeSuccess } from './base64.ts';
import { begin, mechanisms, offer } from './mechanisms.ts';
import { deriveScramKeys } from './scram-keys.ts';
import { saslPrep, saslPrepStored } from './prepare.ts';
import { backend, bytes, challenge, context, credential, fails, login } from './test-kit.ts';
import type { SaslContext, SaslExchange, SaslStep } from './types.ts';

const all = { mechanisms, secured: true, plainWithoutTls: false, anonymous: false, bindings: ['tls-exporter'] };

function start(mechanism: string, changes: Partial<SaslContext> = {}): SaslExchange {
  const exchange = begin(mechanism, context({ offered: mechanisms, ...changes }));
  assert.ok(exchange);
  return exchange;
}

describe('SASL mechanisms on offer', () => {
  it('are in order of strength', () => {
    assert.deepEqual(offer({ ...all, anonymous: true, mechanisms: mechanisms.toReversed() }), [
      'SCRAM-SHA-512-PLUS',
      'SCRAM-SHA-256-PLUS',
      'SCRAM-SHA-1-PLUS',
      'SCRAM-SHA-512',
      'SCRAM-SHA-256',
      'SCRAM-SHA-1',
      'PLAIN',
      'ANONYMOUS',
    ]);
  });

  it('bind only where there is a binding', () => {
    assert.deepEqual(
      offer({ ...all, bindings: [] }).filter(name => name.endsWith('-PLUS')),
      [],
    );
  });

  it('have PLAIN without TLS only where that is allowed', () => {
    const open = { ...all, secured: false, mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'PLAIN'] };
    assert.deepEqual(offer(open), ['SCRAM-SHA-256']);
    assert.deepEqual(offer({ ...open, plainWithoutTls: true }), ['SCRAM-SHA-256', 'PLAIN']);
  });

  it('have ANONYMOUS only where the host says so', () => {
    assert.deepEqual(offer({ ...all, mechanisms: ['ANONYMOUS'] }), []);
    assert.deepEqual(offer({ ...all, mechanisms: [], anonymous: true }), ['ANONYMOUS']);
  });

  it('are the only ones that begin', async () => {
    assert.equal(begin('DIGEST-MD5', context({ offered: mechanisms })), undefined);
    assert.equal(begin('DIGEST-MD5', context({ offered: ['DIGEST-MD5'] })), undefined);
    assert.equal(begin('scram-sha-1', context()), undefined);
    assert.equal(begin('SCRAM-SHA-1-PLUS', context()), undefined);
    assert.equal(begin('ANONYMOUS', context()), undefined);
    for (const name of mechanisms) assert.equal(begin(name, context({ offered: mechanisms }))?.mechanism, name);
    const plain = begin('PLAIN', context({ secured: false, offered: ['SCRAM-SHA-1'] }));
    assert.ok(plain);
    await fails(plain.step(bytes('\0user\0pencil')), 'encryption-required');
  });
});

describe('PLAIN', () => {
  it('lets the right password in and no other', async () => {
    const right = await start('PLAIN').step(bytes('\0User\0pencil'));
    assert.deepEqual([right.kind, right.kind === 'success' && right.local], ['success', 'user']);
    await fails(start('PLAIN').step(bytes('\0user\0pencils')), 'not-authorized');
    await fails(start('PLAIN').step(bytes('\0nobody\0pencil')), 'not-authorized');
    await fails(start('PLAIN').step(bytes('\0gone\0pencil')), 'account-disabled');
    await fails(start('PLAIN').step(bytes('\0gone\0wrong')), 'not-authorized');
  });

  it('asks for the message where there was no initial response', async () => {
    const exchange = start('PLAIN');
    assert.equal(await challenge(exchange.step(undefined)), '');
    assert.equal((await exchange.step(bytes('\0user\0pencil'))).kind, 'success');
    await fails(exchange.step(bytes('\0user\0pencil')), 'malformed-request');
    const twice = start('PLAIN');
    await twice.step(undefined);
    await fails(twice.step(undefined), 'malformed-request');
  });

  for (const text of [
    '',
    '\0',
    '\0\0',
    'user\0pencil',
    '\0\0pencil',
    '\0user\0',
    '\0user\0pen\0cil',
    `\0u\0${'p'.repeat(9000)}`,
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () =>
      fails(start('PLAIN').step(bytes(text)), 'malformed-request'));
  }
  it('refuses what is not UTF-8', () =>
    fails(start('PLAIN').step(Buffer.from('\0us\xe9r\0x', 'latin1')), 'malformed-request'));

  it('refuses names and passwords that cannot be prepared', async () => {
    await fails(start('PLAIN').step(bytes('\0us\u0007er\0pencil')), 'not-authorized');
    await fails(start('PLAIN').step(bytes('\0user@example.org\0pencil')), 'not-authorized');
    await fails(start('PLAIN').step(bytes('\0user\0pen\u0007cil')), 'not-authorized');
    await fails(start('PLAIN').step(bytes('\0user\0\u00AD')), 'not-authorized');
  });

  it('takes the own bare JID as authzid, and no other', async () => {
    assert.equal((await start('PLAIN').step(bytes('user@example.org\0user\0pencil'))).kind, 'success');
    for (const other of ['juliet@example.org', 'user@example.org/r', 'user', 'user@example.net', '@', ' ']) {
      await fails(start('PLAIN').step(bytes(`${other}\0user\0pencil`)), 'invalid-authzid');
    }
  });

  it('passes a failing backend on', async () => {
    const broken = { ...backend({}), plain: () => Promise.reject(new Error('no disk')) };
    await assert.rejects(async () => start('PLAIN', { backend: broken }).step(bytes('\0user\0x')), /no disk/);
  });
});

describe('ANONYMOUS', () => {
  it('lets anybody in, with a trace or without', () => {
    for (const data of [undefined, bytes(''), bytes('sirhc'), bytes('someone@example.com'), bytes('é'.repeat(255))]) {
      const answer = start('ANONYMOUS').step(data);
      assert.deepEqual(answer, { kind: 'success', local: 'guest', anonymous: true });
    }
  });

  it('refuses a bad trace, and a second step', async () => {
    for (const data of [bytes('a\0b'), bytes('a\nb'), bytes('a'.repeat(256)), Buffer.from([0xff])]) {
      await fails(start('ANONYMOUS').step(data), 'malformed-request');
    }
    const exchange = start('ANONYMOUS');
    await exchange.step(undefined);
    await fails(exchange.step(undefined), 'malformed-request');
  });
});

describe('SASLprep', () => {
  it('follows the examples of RFC 4013 3', () => {
    assert.equal(saslPrep('I\u00ADX'), 'IX');
    assert.equal(saslPrep('user'), 'user');
    assert.equal(saslPrep('USER'), 'USER');
    assert.equal(saslPrep('\u00AA'), 'a');
    assert.equal(saslPrep('\u2168'), 'IX');
    assert.equal(saslPrep('\u0007'), undefined);
    assert.equal(saslPrep('\u0627\u0031'), undefined);
    assert.equal(saslPrep(''), undefined);
    assert.equal(saslPrep('\u00AD'), undefined);
    assert.equal(saslPrep('x\u00A0y'), 'x y');
  });

  it('lets code points that came later be asked for, but not be stored', () => {
    assert.equal(saslPrep('\u{1F600}'), '\u{1F600}');
    assert.equal(saslPrepStored('\u{1F600}'), undefined);
    assert.equal(saslPrepStored('\u2168'), 'IX');
  });

  it('gives one key for every way to type a password', async () => {
    const accounts = backend({ user: { password: 'IX' } });
    for (const typed of ['IX', '\u2168', 'I\u00ADX']) {
      assert.equal((await start('PLAIN', { backend: accounts }).step(bytes(`\0user\0${typed}`))).kind, 'success');
      const password = saslPrep(typed) ?? '';
      assert.equal(
        (await login(start('SCRAM-SHA-256', { backend: accounts }), { hash: 'sha256', password, gs2: 'n,,' })).kind,
        'success',
      );
    }
    const { salt, iterations, storedKey, serverKey } = credential('sha256', 'IX');
    assert.deepEqual(await deriveScramKeys('sha256', 'IX', salt, iterations), { storedKey, serverKey });
  });
});

describe('base64 of SASL', () => {
  it('is strict', () => {
    for (const bad of [
      'a',
      'ab',
      'abc',
      'ab=c',
      'YQ',
      'YQ=',
      'YR==',
      'YQ==\n',
      ' YQ==',
      'YQ= =',
      'Y-_=',
      'YQ==YQ==',
      '====',
      '==',
    ]) {
      assert.equal(decodeBase64(bad), undefined, bad);
      assert.equal(decodeAuth(bad), undefined, bad);
      assert.equal(decodeResponse(bad), undefined, bad);
    }
    assert.deepEqual(decodeBase64('YQ=='), bytes('a'));
  });

  it('tells no data from empty data', () => {
    assert.deepEqual(decodeAuth(''), { data: undefined });
    assert.deepEqual(decodeAuth('='), { data: Buffer.alloc(0) });
    assert.deepEqual(decodeResponse(''), { data: Buffer.alloc(0) });
    assert.deepEqual(decodeResponse('='), { data: Buffer.alloc(0) });
    assert.equal(encodeSuccess(undefined), '');
    assert.equal(encodeSuccess(Buffer.alloc(0)), '=');
    assert.equal(encodeSuccess(bytes('a')), 'YQ==');
  });
});

describe('a SASL exchange', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'n,,',
      'y,,',
      'p=tls-exporter,,',
      'n,a=user@example.org,',
      'n=user',
      'r=abc',
      ',',
      '=',
      'c=biws',
      'p=AAAA',
      'm=x',
      '\0',
      '=2C',
      'user',
      '@',
    ),
    fc.string({ unit: 'binary' }),
  );
  const message = fc.oneof(
    fc.array(piece, { maxLength: 8 }).map(parts => bytes(parts.join(''))),
    fc.uint8Array({ maxLength: 64 }).map(data => Buffer.from(data)),
    fc.constant(bytes('n,,n=user,r=abc')),
    fc.constant(undefined),
  );

  it('never throws, and lets nobody in by chance', async () => {
    const ctx = context({
      offered: mechanisms,
      backend: { ...backend({}), scram: (_, hash) => ({ ...made[hash] }) },
    });
    const made = {
      sha1: credential('sha1', 'x'),
      sha256: credential('sha256', 'x'),
      sha512: credential('sha512', 'x'),
    };
    const names = fc.constantFrom(...mechanisms);
    await fc.assert(
      fc.asyncProperty(names, fc.array(message, { maxLength: 4 }), async (name, messages) => {
        const exchange = begin(name, ctx);
        assert.ok(exchange);
        for (const data of messages) {
          const answer: SaslStep = await exchange.step(data);
          if (name !== 'ANONYMOUS') assert.notEqual(answer.kind, 'success');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
