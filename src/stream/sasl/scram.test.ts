import assert from 'node:assert/strict';
import { begin } from './mechanisms.ts';
import { ScramExchange } from './scram.ts';
import { inventCredential } from './scram-keys.ts';
import { backend, bytes, challenge, clientFinal, context, credential, endPoint, exporter } from './test-kit.ts';
import { fails, login, secret } from './test-kit.ts';
import type { SaslContext, SaslExchange, ScramHash } from './types.ts';

const families: [string, ScramHash][] = [
  ['SCRAM-SHA-1', 'sha1'],
  ['SCRAM-SHA-256', 'sha256'],
  ['SCRAM-SHA-512', 'sha512'],
];
const plus = ['SCRAM-SHA-512-PLUS', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS'];

function start(mechanism = 'SCRAM-SHA-1', changes: Partial<SaslContext> = {}): SaslExchange {
  const exchange = begin(mechanism, context(changes));
  assert.ok(exchange);
  return exchange;
}

describe('SCRAM', () => {
  const examples = [
    {
      name: 'RFC 5802 5',
      variant: { mechanism: 'SCRAM-SHA-1', hash: 'sha1', plus: false },
      salt: 'QSXCR+Q6sek8bf92',
      clientNonce: 'fyko+d2lbbFgONRv9qkxdawL',
      serverNonce: '3rfcNHYJY1ZVvWVs7j',
      proof: 'v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
      v: 'rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    },
    {
      name: 'RFC 7677 3',
      variant: { mechanism: 'SCRAM-SHA-256', hash: 'sha256', plus: false },
      salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
      clientNonce: 'rOprNGfwEbeRWgbNEkqO',
      serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
      proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      v: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    },
  ] as const;
  for (const { name, variant, salt, clientNonce, serverNonce, proof, v } of examples) {
    it(`speaks the example of ${name}`, async () => {
      const stored = credential(variant.hash, 'pencil', Buffer.from(salt, 'base64'));
      const ctx = context({ backend: { ...backend({}), scram: () => stored } });
      const exchange = new ScramExchange(variant, ctx, serverNonce);
      const first = await challenge(exchange.step(bytes(`n,,n=user,r=${clientNonce}`)));
      assert.equal(first, `r=${clientNonce}${serverNonce},s=${salt},i=4096`);
      const answer = await exchange.step(bytes(`c=biws,r=${clientNonce}${serverNonce},p=${proof}`));
      assert.ok(answer.kind === 'success');
      assert.equal(answer.local, 'user');
      assert.equal(answer.data?.toString(), `v=${v}`);
    });
  }

  for (const [mechanism, hash] of families) {
    it(`${mechanism} lets the right password in and no other`, async () => {
      const right = await login(start(mechanism), { hash, password: 'pencil' });
      assert.deepEqual([right.kind, right.kind === 'success' && right.local], ['success', 'user']);
      const wrong = await login(start(mechanism), { hash, password: 'pencils' });
      assert.ok(wrong.kind === 'failure');
      assert.deepEqual([wrong.condition, wrong.local], ['not-authorized', 'user']);
    });

    for (const [type, data] of [
      ['tls-exporter', exporter],
      ['tls-server-end-point', endPoint],
    ] as const) {
      it(`${mechanism}-PLUS binds to ${type}`, async () => {
        const gs2 = `p=${type},,`;
        const run = (binding: Buffer): ReturnType<typeof login> =>
          login(start(`${mechanism}-PLUS`, { offered: plus }), { hash, password: 'pencil', gs2, binding });
        assert.equal((await run(data)).kind, 'success');
        await fails(run(Buffer.alloc(32, 1)), 'not-authorized');
        await fails(run(Buffer.alloc(0)), 'not-authorized');
        await fails(run(type === 'tls-exporter' ? endPoint : exporter), 'not-authorized');
      });
    }
  }

  it('waits for a backend that answers later, and refuses a message meanwhile', async () => {
    const later = { backend: backend({ user: { password: 'pencil' } }, true) };
    assert.equal((await login(start('SCRAM-SHA-1', later), { hash: 'sha1', password: 'pencil' })).kind, 'success');
    const exchange = start('SCRAM-SHA-1', later);
    const first = exchange.step(bytes('n,,n=user,r=abc'));
    await fails(exchange.step(bytes('n,,n=user,r=abc')), 'malformed-request');
    await first;
  });

  it('passes a failing backend on and is over then', async () => {
    const broken = { ...backend({}), scram: () => Promise.reject(new Error('no disk')) };
    const exchange = start('SCRAM-SHA-1', { backend: broken });
    await assert.rejects(async () => exchange.step(bytes('n,,n=user,r=abc')), /no disk/);
    await fails(exchange.step(bytes('n,,n=user,r=abc')), 'malformed-request');
  });

  it('asks for the first message where there was no initial response', async () => {
    const exchange = start();
    assert.equal(await challenge(exchange.step(undefined)), '');
    assert.match(await challenge(exchange.step(bytes('n,,n=user,r=abc'))), /^r=abc.{24},s=/);
    const twice = start();
    await twice.step(undefined);
    await fails(twice.step(undefined), 'malformed-request');
  });

  it('has a new nonce each time', async () => {
    const one = await challenge(start().step(bytes('n,,n=user,r=abc')));
    const two = await challenge(start().step(bytes('n,,n=user,r=abc')));
    assert.notEqual(one, two);
  });

  it('is over after an answer', async () => {
    const exchange = start();
    await login(exchange, { hash: 'sha1', password: 'pencil' });
    await fails(exchange.step(bytes('n,,n=user,r=abc')), 'malformed-request');
    await fails(exchange.step(undefined), 'malformed-request');
  });

  it('takes the own bare JID as authzid, and no other', async () => {
    const run = (authzid: string): ReturnType<typeof login> =>
      login(start(), { hash: 'sha1', password: 'pencil', gs2: `n,a=${authzid},` });
    assert.equal((await run('user@example.org')).kind, 'success');
    assert.equal((await run('USER@example.org')).kind, 'success');
    for (const other of [
      'juliet@example.org',
      'user@example.net',
      'user@example.org/res',
      'example.org',
      'user',
      '@',
    ]) {
      await fails(run(other), 'invalid-authzid');
    }
  });

  it('decodes and prepares the user name', async () => {
    const names: string[] = [];
    const plain = backend({ user: { password: 'pencil' } });
    const spy = {
      ...plain,
      scram: (local: string, hash: ScramHash) => {
        names.push(local);
        return plain.scram(local, hash);
      },
    };
    await start('SCRAM-SHA-1', { backend: spy }).step(bytes('n,,n=a=2Cb=3Dc,r=abc'));
    await start('SCRAM-SHA-1', { backend: spy }).step(bytes('n,,n=U\u00ADser,r=abc')); // the soft hyphen maps to nothing
    assert.deepEqual(names, ['a,b=c', 'user']);
    assert.equal((await login(start(), { hash: 'sha1', password: 'pencil', name: 'USER' })).kind, 'success');
  });

  it('answers a name that no account can have like a wrong password', async () => {
    await fails(start().step(bytes('n,,n=user@example.org,r=abc')), 'not-authorized');
  });

  it('says that an account is disabled only to one who knows its password', async () => {
    const run = (password: string): ReturnType<typeof login> =>
      login(start(), { hash: 'sha1', password, name: 'gone' });
    await fails(run('pencil'), 'account-disabled');
    await fails(run('wrong'), 'not-authorized');
  });

  it('lets nobody in with what was true when the exchange began', async () => {
    const accounts: Parameters<typeof backend>[0] = {};
    const password = 'pencil';
    for (const later of [false, true]) {
      for (const now of [{ password: 'pen' }, { password, disabled: true }, undefined]) {
        accounts.user = { password };
        const exchange = start('SCRAM-SHA-1', { backend: backend(accounts, later) });
        const bare = 'n=user,r=abc';
        const serverFirst = await challenge(exchange.step(bytes(`n,,${bare}`)));
        if (now) accounts.user = now;
        else delete accounts.user;
        const { final } = clientFinal({ hash: 'sha1', password }, bare, serverFirst);
        await fails(exchange.step(bytes(final)), 'temporary-auth-failure');
      }
    }
  });
});

describe('SCRAM nonces', () => {
  it('are checked even where the proof fits', async () => {
    const exchange = start();
    const serverFirst = await challenge(exchange.step(bytes('n,,n=user,r=abc')));
    // The client's half of the nonce alone, signed with the right password, and the server's message as it was.
    const bare = 'n=user,r=abc';
    const options = { hash: 'sha1', password: 'pencil', nonce: 'abc' } as const;
    await fails(exchange.step(bytes(clientFinal(options, bare, serverFirst).final)), 'not-authorized');
  });
});

describe('SCRAM channel binding rules', () => {
  const both = ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1'];

  it('refuses "y" where -PLUS was offered: somebody took it out', async () => {
    const offered = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1'];
    await fails(start('SCRAM-SHA-1', { offered }).step(bytes('y,,n=user,r=abc')), 'not-authorized');
    const honest = await login(start('SCRAM-SHA-1'), { hash: 'sha1', password: 'pencil', gs2: 'y,,' });
    assert.equal(honest.kind, 'success');
    const unable = await login(start('SCRAM-SHA-1', { offered: both }), { hash: 'sha1', password: 'pencil' });
    assert.equal(unable.kind, 'success');
  });

  it('refuses a gs2-header that changed on its way', async () => {
    const exchange = start();
    const bare = 'n=user,r=abc';
    const serverFirst = await challenge(exchange.step(bytes(`n,,${bare}`)));
    const { final } = clientFinal({ hash: 'sha1', password: 'pencil', gs2: 'y,,' }, bare, serverFirst);
    await fails(exchange.step(bytes(final)), 'not-authorized');
  });

  it('wants the flag that the mechanism says', async () => {
    for (const flag of ['n', 'y']) {
      await fails(
        start('SCRAM-SHA-1-PLUS', { offered: both }).step(bytes(`${flag},,n=user,r=abc`)),
        'malformed-request',
      );
    }
    const bound = bytes('p=tls-exporter,,n=user,r=abc');
    await fails(start('SCRAM-SHA-1', { offered: both }).step(bound), 'malformed-request');
  });

  it('refuses a binding that it does not know, or that this connection does not have', async () => {
    const none = { offered: both, channelBinding: () => undefined };
    await fails(start('SCRAM-SHA-1-PLUS', none).step(bytes('p=tls-exporter,,n=user,r=abc')), 'malformed-request');
    await fails(
      start('SCRAM-SHA-1-PLUS', { offered: both }).step(bytes('p=tls-unique,,n=user,r=abc')),
      'malformed-request',
    );
  });
});

describe('SCRAM and an unknown user', () => {
  it('cannot be told from a wrong password', async () => {
    for (const [mechanism, hash] of families) {
      const shapes = [];
      for (const name of ['user', 'nobody']) {
        const exchange = start(mechanism);
        const bare = `n=${name},r=abc`;
        const serverFirst = await challenge(exchange.step(bytes(`n,,${bare}`)));
        const answer = await exchange.step(bytes(clientFinal({ hash, password: 'wrong' }, bare, serverFirst).final));
        assert.ok(answer.kind === 'failure');
        const [, r, s, i] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? [];
        assert.equal(answer.local, name);
        shapes.push([r?.length, s?.length, i, { ...answer, local: '' }]);
      }
      assert.deepEqual(shapes[0], shapes[1]);
    }
  });

  it('gets the same salt each time, another than the next name', async () => {
    const salt = async (name: string): Promise<string | undefined> =>
      /,s=([^,]+)/.exec(await challenge(start().step(bytes(`n,,n=${name},r=abc`))))?.[1];
    assert.equal(await salt('nobody'), await salt('nobody'));
    assert.notEqual(await salt('nobody'), await salt('nobody2'));
  });

  it('is refused even with a proof that fits the made-up keys', async () => {
    // As if somebody had found a password for them: the status alone must keep it out.
    const known = { ...credential('sha1', 'pencil'), status: 'unknown' as const };
    const trick = { ...backend({}), scram: () => known };
    await fails(
      login(start('SCRAM-SHA-1', { backend: trick }), { hash: 'sha1', password: 'pencil' }),
      'not-authorized',
    );
  });

  it('has keys as long as a real one', () => {
    for (const [, hash] of families) {
      const made = inventCredential(secret, 'nobody', hash, 10_000, 16);
      const real = credential(hash, 'x');
      assert.equal(made.storedKey.length, real.storedKey.length);
      assert.equal(made.serverKey.length, real.serverKey.length);
      assert.equal(made.salt.length, 16);
    }
  });
});
