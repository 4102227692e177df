import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

/** Salted keys of one account, kept between logins as RFC 5802 5.1 allows, so that a resumption costs a client nothing. */
export type ScramKeys = Map<string, Buffer>;

export type ScramHash = 'sha1' | 'sha256' | 'sha512';

/** The client's side of SCRAM without channel binding. RFC 5802, RFC 7677. */
export class Scram {
  private readonly hash: ScramHash;
  private readonly password: string;
  private readonly keys: ScramKeys;
  private readonly firstBare: string;
  private readonly nonce: string;
  private signature: Buffer | undefined;

  constructor(hash: ScramHash, user: string, password: string, keys: ScramKeys) {
    this.hash = hash;
    this.password = password;
    this.keys = keys;
    this.nonce = randomBytes(12).toString('base64');
    this.firstBare = `n=${user},r=${this.nonce}`;
  }

  /** client-first-message, in base64. */
  first(): string {
    return Buffer.from(`n,,${this.firstBare}`).toString('base64');
  }

  /** client-final-message for the server's challenge, both in base64. */
  async final(challenge: string): Promise<string> {
    const serverFirst = Buffer.from(challenge, 'base64').toString('utf8');
    const { r: nonce, s: salt, i: iterations } = attributes(serverFirst);
    if (!nonce?.startsWith(this.nonce) || !salt || !iterations) throw new Error(`SCRAM challenge: ${serverFirst}`);
    const salted = await this.salted(salt, Number(iterations));
    const clientKey = this.hmac(salted, 'Client Key');
    const storedKey = createHash(this.hash).update(clientKey).digest();
    const withoutProof = `c=biws,r=${nonce}`;
    const message = `${this.firstBare},${serverFirst},${withoutProof}`;
    const proof = this.hmac(storedKey, message);
    for (let i = 0; i < proof.length; i++) proof[i]! ^= clientKey[i]!;
    this.signature = this.hmac(this.hmac(salted, 'Server Key'), message);
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`).toString('base64');
  }

  /** True when the server proved that it knows the keys too. */
  verify(success: string): boolean {
    const given = Buffer.from(attributes(Buffer.from(success, 'base64').toString('utf8')).v ?? '', 'base64');
    return (
      this.signature !== undefined && given.length === this.signature.length && timingSafeEqual(given, this.signature)
    );
  }

  private async salted(salt: string, iterations: number): Promise<Buffer> {
    const key = `${this.hash},${salt},${iterations}`;
    const known = this.keys.get(key);
    if (known) return known;
    const length = this.hash === 'sha1' ? 20 : this.hash === 'sha256' ? 32 : 64;
    const salted = await derive(this.password, Buffer.from(salt, 'base64'), iterations, length, this.hash);
    this.keys.set(key, salted);
    return salted;
  }

  private hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.hash, key).update(text).digest();
  }
}

function attributes(message: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const part of message.split(',')) found[part.slice(0, 1)] = part.slice(2);
  return found;
}
