/* The keys by which push services know this gateway (RFC 8292). Who subscribed under them must find them there for ever. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import type webpush from 'web-push';

export interface VapidKeys {
  /** In base64url: an uncompressed point of P-256, and the number. */
  readonly publicKey: string;
  readonly privateKey: string;
}

/** What makes keys and encrypts: the package web-push. */
export type WebPushLibrary = typeof webpush;

const FILE = 'vapid.json';

/** The keys in a folder, made when they are not there yet. Rejects when the file holds something else. */
export async function vapidKeys(folder: string, library: WebPushLibrary): Promise<VapidKeys> {
  const file = path.join(folder, FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return make(folder, file, library);
  }
  const keys = read(text);
  if (!keys) throw new Error(`${file} holds no keys; without them nobody who subscribed is reached`);
  return keys;
}

function read(text: string): VapidKeys | undefined {
  try {
    const { publicKey, privateKey } = JSON.parse(text) as Partial<VapidKeys>;
    const lengths = [publicKey, privateKey].map(key => Buffer.from(String(key), 'base64url').length);
    return lengths[0] === 65 && lengths[1] === 32 ? { publicKey: publicKey!, privateKey: privateKey! } : undefined;
  } catch {
    return undefined;
  }
}

async function make(folder: string, file: string, library: WebPushLibrary): Promise<VapidKeys> {
  const keys = library.generateVAPIDKeys();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const half = `${file}.new`;
  const handle = await open(half, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(keys)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(half, file);
  const entries = await open(folder);
  try {
    await entries.sync();
  } finally {
    await entries.close();
  }
  return keys;
}
