import { createHmac, createSecretKey, hash as digest, pbkdf2 } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { Turns } from '../../util/turns.ts';
import type { ScramCredential, ScramHash } from './types.ts';

const derive = promisify(pbkdf2);
/** A storm of logins leaves a processor to those who are logged in, and of the only one half. */
const turns = new Turns(Math.max(1, Math.min(4, availableParallelism()) - 1));

/** A digest's octets, and so those of each key and proof. */
export const digestLength: Readonly<Record<ScramHash, number>> = { sha1: 20, sha256: 32, sha512: 64 };

export function hmac(hash: ScramHash, key: Buffer, text: string): Buffer {
  return createHmac(hash, createSecretKey(key)).update(text, 'utf8').digest(); // a key object: five times faster
}

export function sum(hash: ScramHash, data: Buffer): Buffer {
  return digest(hash, data, 'buffer');
}

/** The stored half of a salted password (RFC 5802 3); also how a password sent in the clear is compared with it. */
export function scramKeys(hash: ScramHash, saltedPassword: Buffer): { storedKey: Buffer; serverKey: Buffer } {
  return {
    storedKey: sum(hash, hmac(hash, saltedPassword, 'Client Key')),
    serverKey: hmac(hash, saltedPassword, 'Server Key'),
  };
}

/** The same from the password, which must be SASLprepared. `iterations` of PBKDF2 run on the thread pool. */
export async function deriveScramKeys(
  hash: ScramHash,
  password: string,
  salt: Buffer,
  iterations: number,
): Promise<{ storedKey: Buffer; serverKey: Buffer }> {
  const salted = await turns.run(() => derive(password, salt, iterations, digestLength[hash], hash));
  return scramKeys(hash, salted);
}

/**
 * A credential for an account that does not exist. The same name gets the same salt for as long as `secret` (32 octets, kept
 * by the host across restarts) stays, as a real account would; give `iterations` and `saltLength` (1 to 20 octets) as real
 * accounts have them, or the name can be told from theirs.
 */
export function inventCredential(
  secret: Buffer,
  local: string,
  hash: ScramHash,
  iterations: number,
  saltLength: number,
): ScramCredential {
  return {
    salt: hmac(hash, secret, `salt ${hash} ${local}`).subarray(0, saltLength),
    iterations,
    storedKey: hmac(hash, secret, `stored ${hash} ${local}`),
    serverKey: hmac(hash, secret, `server ${hash} ${local}`),
    status: 'unknown',
  };
}
