import assert from 'node:assert/strict';
import fc from 'fast-check';
import { begin } from './mechanisms.ts';
import { maxMessage, parseClientFinal, parseClientFirst } from './scram-grammar.ts';
import { bytes, challenge, clientFinal, context, fails, login } from './test-kit.ts';
import type { SaslExchange } from './types.ts';

function start(): SaslExchange {
  const exchange = begin('SCRAM-SHA-1', context());
  assert.ok(exchange);
  return exchange;
}

describe('SCRAM grammar', () => {
  const badFirst = {
    nothing: '',
    'no gs2-header': 'n=user,r=abc',
    'one comma': 'n,',
    'unknown flag': 'x,,n=user,r=abc',
    'the flag of GS2 alone': 'F,n,,n=user,r=abc',
    'flag in capitals': 'N,,n=user,r=abc',
    'flag with a value': 'n=1,,n=user,r=abc',
    'binding without name': 'p=,,n=user,r=abc',
    'binding with a bad name': 'p=tls_exporter,,n=user,r=abc',
    'authzid without a=': 'n,user@example.org,n=user,r=abc',
    'authzid empty': 'n,a=,n=user,r=abc',
    'authzid with a bare =': 'n,a=x=y,n=user,r=abc',
    'no user name': 'n,,r=abc',
    'user name empty': 'n,,n=,r=abc',
    'user name with a bare =': 'n,,n=us=er,r=abc',
    'user name with =2c in small letters': 'n,,n=us=2cer,r=abc',
    'user name that ends in =': 'n,,n=user=,r=abc',
    'user name of which nothing is left': 'n,,n=\u00AD,r=abc',
    'user name with a prohibited character': 'n,,n=us\u0007er,r=abc',
    'user name with NUL': 'n,,n=us\0er,r=abc',
    'no nonce': 'n,,n=user',
    'nonce empty': 'n,,n=user,r=',
    'nonce with a space': 'n,,n=user,r=a c',
    'nonce not ASCII': 'n,,n=user,r=äbc',
    'nonce before the name': 'n,,r=abc,n=user',
    'a mandatory extension': 'n,,m=x,n=user,r=abc',
    'a mandatory extension at the end': 'n,,n=user,r=abc,m=x',
    'an empty extension': 'n,,n=user,r=abc,',
    'an extension without value': 'n,,n=user,r=abc,x=',
    'an extension with a long name': 'n,,n=user,r=abc,xy=1',
    'a second nonce': 'n,,n=user,r=abc,r=def',
    'a second name': 'n,,n=user,r=abc,n=romeo',
    'too long': `n,,n=user,r=${'a'.repeat(maxMessage)}`,
  };
  for (const [what, text] of Object.entries(badFirst)) {
    it(`refuses the first message: ${what}`, () => fails(start().step(bytes(text)), 'malformed-request'));
  }
  it('refuses what is not UTF-8', () =>
    fails(start().step(Buffer.from('n,,n=us\xe9r,r=abc', 'latin1')), 'malformed-request'));

  const proof = Buffer.alloc(20).toString('base64');
  const badFinal: Record<string, (nonce: string) => [text: string, condition: string]> = {
    nothing: () => ['', 'malformed-request'],
    'no binding': r => [`r=${r},p=${proof}`, 'malformed-request'],
    'binding empty': r => [`c=,r=${r},p=${proof}`, 'malformed-request'],
    'binding not base64': r => [`c=biw!,r=${r},p=${proof}`, 'malformed-request'],
    'binding without padding': r => [`c=eSws,r=${r},p=${proof.replace('=', '')}`, 'malformed-request'],
    'binding with bits left over': r => [`c=biwt,r=${r},p=${proof.replace('A=', 'B=')}`, 'malformed-request'],
    'nonce before the binding': r => [`r=${r},c=biws,p=${proof}`, 'malformed-request'],
    'no nonce': () => [`c=biws,p=${proof}`, 'malformed-request'],
    'another nonce': r => [`c=biws,r=${r}x,p=${proof}`, 'not-authorized'],
    'only its own nonce': () => [`c=biws,r=abc,p=${proof}`, 'not-authorized'],
    'no proof': r => [`c=biws,r=${r}`, 'malformed-request'],
    'proof empty': r => [`c=biws,r=${r},p=`, 'malformed-request'],
    'proof not base64': r => [`c=biws,r=${r},p=****`, 'malformed-request'],
    'proof too short': r => [`c=biws,r=${r},p=AAAA`, 'malformed-request'],
    'proof too long': r => [`c=biws,r=${r},p=${Buffer.alloc(32).toString('base64')}`, 'malformed-request'],
    'something after the proof': r => [`c=biws,r=${r},p=${proof},x=1`, 'malformed-request'],
    'two proofs': r => [`c=biws,r=${r},p=${proof},p=${proof}`, 'malformed-request'],
    'a mandatory extension': r => [`c=biws,r=${r},m=x,p=${proof}`, 'malformed-request'],
    'a bad extension': r => [`c=biws,r=${r},1=x,p=${proof}`, 'malformed-request'],
    NUL: r => [`c=biws,r=${r},x=\0,p=${proof}`, 'malformed-request'],
    'a wrong proof': r => [`c=biws,r=${r},p=${proof}`, 'not-authorized'],
  };
  for (const [what, make] of Object.entries(badFinal)) {
    it(`refuses the last message: ${what}`, async () => {
      const exchange = start();
      const nonce = /^r=([^,]+)/.exec(await challenge(exchange.step(bytes('n,,n=user,r=abc'))))?.[1] ?? '';
      const [text, condition] = make(nonce);
      await fails(exchange.step(bytes(text)), condition);
    });
  }
  it('refuses a last message that is missing', async () => {
    const exchange = start();
    await exchange.step(bytes('n,,n=user,r=abc'));
    await fails(exchange.step(undefined), 'malformed-request');
  });

  it('ignores optional extensions, but they are signed', async () => {
    const extensions = ',x=1,y=two words = many';
    const exchange = start();
    const bare = 'n=user,r=abc,z=é';
    const serverFirst = await challenge(exchange.step(bytes(`n,,${bare}`)));
    const { final } = clientFinal({ hash: 'sha1', password: 'pencil', extensions }, bare, serverFirst);
    assert.equal((await exchange.step(bytes(final))).kind, 'success');
    assert.equal((await login(start(), { hash: 'sha1', password: 'pencil', extensions })).kind, 'success');
    const changed = start();
    const again = await challenge(changed.step(bytes(`n,,${bare}`)));
    const signed = clientFinal({ hash: 'sha1', password: 'pencil', extensions }, bare, again).final;
    await fails(changed.step(bytes(signed.replace('x=1', 'x=2'))), 'not-authorized');
  });

  it('takes messages apart as they were written', () => {
    const first = parseClientFirst('p=tls-exporter,a=x=2C=3D,n=u=2Cv=3D,r=a=b,x=1');
    assert.deepEqual(first, {
      flag: 'p',
      binding: 'tls-exporter',
      authzid: 'x,=',
      gs2Header: 'p=tls-exporter,a=x=2C=3D,',
      bare: 'n=u=2Cv=3D,r=a=b,x=1',
      username: 'u,v=',
      nonce: 'a=b',
    });
    const final = parseClientFinal('c=biws,r=ab,x=1,p=AAEC');
    assert.deepEqual(final, {
      channelBinding: bytes('n,,'),
      nonce: 'ab',
      proof: Buffer.from([0, 1, 2]),
      withoutProof: 'c=biws,r=ab,x=1',
    });
  });

  it('never loses a name on its way, and takes no name that is not escaped', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter(text => !text.includes('\0'));
    fc.assert(
      fc.property(name, text => {
        const escaped = text.replaceAll('=', '=3D').replaceAll(',', '=2C');
        const parsed = parseClientFirst(`n,,n=${escaped},r=abc`);
        assert.ok(typeof parsed !== 'string');
        assert.equal(parsed.username, text);
      }),
    );
  });
});
