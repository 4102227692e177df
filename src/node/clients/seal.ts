import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Hmac } from '../../util/hmac.ts';

/** The key of an installation, in its data folder; without it what it sealed is of no use. */
export const KEY_FILE = 'tokens.key';
const KEY = 32; // bytes
const NONCE = 12;
const TAG = 16;
const CIPHER = 'aes-256-gcm';

/** Seals secrets that have to be kept whole, and derives names that tell nothing of what they are made of. */
export class Seal {
  private readonly sealing: KeyObject;
  private readonly naming: Hmac;

  constructor(key: Buffer) {
    const master = new Hmac(key);
    this.sealing = createSecretKey(master.digest(Buffer.from('tokens')));
    this.naming = new Hmac(master.digest(Buffer.from('names')));
  }

  /** Encrypts a text. `context` is what it belongs to: it can be opened with the same only. */
  seal(text: string, context: string): Buffer {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(CIPHER, this.sealing, nonce).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  /** The text; undefined when it was sealed with another key or for something else. */
  open(sealed: Buffer, context: string): string | undefined {
    if (sealed.length < NONCE + TAG) return undefined;
    try {
      const cipher = createDecipheriv(CIPHER, this.sealing, sealed.subarray(0, NONCE), { authTagLength: TAG })
        .setAAD(Buffer.from(context))
        .setAuthTag(sealed.subarray(NONCE, NONCE + TAG));
      return cipher.update(sealed.subarray(NONCE + TAG), undefined, 'utf8') + cipher.final('utf8');
    } catch {
      return undefined;
    }
  }

  /** The same for the same parts, which must not hold a NUL. */
  name(...parts: readonly string[]): Buffer {
    return this.naming.digest(Buffer.from(parts.join('\0')));
  }
}

/** Reads the key of an installation, or makes it. Rejects with a sentence when the file is none. */
export function installationKey(folder: string): Buffer {
  const file = path.join(folder, KEY_FILE);
  const there = statSync(file, { throwIfNoEntry: false });
  if (!there) make(folder, file);
  // only the owner reads it, wherever it was copied from
  else if ((there.mode & 0o077) !== 0) chmodSync(file, 0o600);
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== KEY) {
    throw new Error(
      `${file} is no key: restore it from a backup, or remove it (clients then log in with their passwords once)`,
    );
  }
  return key;
}

/** The file appears whole or not at all. */
function make(folder: string, file: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.new`;
  writeFileSync(draft, `${randomBytes(KEY).toString('base64')}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
