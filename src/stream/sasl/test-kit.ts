// What the tests of this folder share: a client that speaks SCRAM, and a host with a few accounts.
import assert from 'node:assert/strict';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { inventCredential, scramKeys } from './scram-keys.ts';
import type { SaslBackend, SaslContext, SaslExchange, SaslStep, ScramCredential, ScramHash } from './types.ts';

export const secret = Buffer.alloc(32, 7);
export const exporter = Buffer.alloc(32, 0xe1);
export const endPoint = Buffer.alloc(32, 0xe2);
const keyLength = { sha1: 20, sha256: 32, sha512: 64 };

export function credential(
  hash: ScramHash,
  password: string,
  salt: Buffer = Buffer.from('0123456789abcdef'),
  iterations = 4096,
  status: ScramCredential['status'] = 'active',
): ScramCredential {
  const salted = pbkdf2Sync(password, salt, iterations, keyLength[hash], hash);
  return { salt, iterations, ...scramKeys(hash, salted), status };
}

export interface Account {
  password: string;
  disabled?: boolean;
}

/** A backend whose `scram` answers at once, or in a promise. */
export function backend(accounts: Record<string, Account>, later = false): SaslBackend {
  const find = (local: string): Account | undefined => (Object.hasOwn(accounts, local) ? accounts[local] : undefined);
  return {
    scram(local, hash) {
      const account = find(local);
      const found = account
        ? credential(hash, account.password, undefined, 4096, account.disabled ? 'disabled' : 'active')
        : inventCredential(secret, local, hash, 4096, 16);
      return later ? Promise.resolve(found) : found;
    },
    plain(local, password) {
      const account = find(local);
      if (!account || account.password !== password) return Promise.resolve('wrong');
      return Promise.resolve(account.disabled ? 'disabled' : 'ok');
    },
    status: local => (find(local) ? (find(local)!.disabled ? 'disabled' : 'active') : 'unknown'),
    anonymous: () => 'guest',
  };
}

export function context(changes: Partial<SaslContext> = {}): SaslContext {
  return {
    host: 'example.org',
    secured: true,
    channelBinding: type => (type === 'tls-exporter' ? exporter : endPoint),
    backend: backend({ user: { password: 'pencil' }, gone: { password: 'pencil', disabled: true } }),
    offered: ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'PLAIN'],
    ...changes,
  };
}

export function bytes(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

export async function fails(step: SaslStep | Promise<SaslStep>, condition: string): Promise<void> {
  const answer = await step;
  assert.equal(answer.kind === 'failure' ? answer.condition : answer.kind, condition, JSON.stringify(answer));
}

export async function challenge(step: SaslStep | Promise<SaslStep>): Promise<string> {
  const answer = await step;
  assert.ok(answer.kind === 'challenge', JSON.stringify(answer));
  return answer.data.toString('utf8');
}

export interface ClientOptions {
  hash: ScramHash;
  password: string;
  name?: string;
  gs2?: string;
  /** Binding data after the gs2-header in `c=`. */
  binding?: Buffer;
  extensions?: string;
  /** To repeat another nonce than the server's. */
  nonce?: string;
}

/** The client's second message, from RFC 5802 3 anew and not with the server's code; and the signature to expect. */
export function clientFinal(options: ClientOptions, bare: string, serverFirst: string): { final: string; v: string } {
  const { hash, password, gs2 = 'n,,', binding = Buffer.alloc(0), extensions = '' } = options;
  const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)(?:,h=[^,]+)?$/.exec(serverFirst) ?? [];
  assert.ok(nonce && salt && iterations, serverFirst);
  const mac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), keyLength[hash], hash);
  const clientKey = mac(salted, 'Client Key');
  const c = Buffer.concat([bytes(gs2), binding]).toString('base64');
  const withoutProof = `c=${c},r=${options.nonce ?? nonce}${extensions}`;
  const authMessage = `${bare},${serverFirst},${withoutProof}`;
  const signature = mac(createHash(hash).update(clientKey).digest(), authMessage);
  const proof = clientKey.map((byte, i) => byte ^ (signature[i] ?? 0));
  return {
    final: `${withoutProof},p=${Buffer.from(proof).toString('base64')}`,
    v: mac(mac(salted, 'Server Key'), authMessage).toString('base64'),
  };
}

/** A whole login; where the server lets it in, its signature is checked too. */
export async function login(exchange: SaslExchange, options: ClientOptions): Promise<SaslStep> {
  const bare = `n=${options.name ?? 'user'},r=fyko+d2lbbFgONRv9qkxdawL`;
  const first = await exchange.step(bytes((options.gs2 ?? 'n,,') + bare));
  if (first.kind !== 'challenge') return first;
  const { final, v } = clientFinal(options, bare, first.data.toString('utf8'));
  const answer = await exchange.step(bytes(final));
  if (answer.kind === 'success') assert.equal(answer.data?.toString('utf8'), `v=${v}`);
  return answer;
}
