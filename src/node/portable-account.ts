import type { Portable } from '../api/collections.ts';
import { type Element, escapeXml } from '../xml/index.ts';
import type { ScramHash } from '../stream/sasl/index.ts';
import type { AccountsService } from './accounts-service.ts';
import type { Credentials, StoredKeys } from './accounts/store.ts';

const SCRAM = 'urn:xmpp:pie:0#scram';
const ACCOUNT = 'urn:posthouse:account:0';
const HASHES: readonly { hash: ScramHash; mechanism: string; bytes: number }[] = [
  { hash: 'sha1', mechanism: 'SCRAM-SHA-1', bytes: 20 },
  { hash: 'sha256', mechanism: 'SCRAM-SHA-256', bytes: 32 },
  { hash: 'sha512', mechanism: 'SCRAM-SHA-512', bytes: 64 },
];
/** Bytes of a salt, and PBKDF2 iterations, that are believed. */
const SALT = 64;
const ITERATIONS = 100_000_000;

/** What is kept of a password: XEP-0227 4.3. They are taken in with the account, which is made before anything else of it (portability.ts). */
export function portableCredentials(accounts: AccountsService): Portable {
  return {
    name: 'credentials',
    entry: { name: 'scram-credentials', xmlns: SCRAM },
    export: async account => {
      const credentials = await accounts.credentials(account);
      return { entries: credentials ? HASHES.map(({ hash, mechanism }) => wireOf(credentials, hash, mechanism)) : [] };
    },
    import: () => 'known',
  };
}

function wireOf({ salt, iterations, keys }: Credentials, hash: ScramHash, mechanism: string): string {
  const { storedKey, serverKey } = keys[hash];
  return (
    `<scram-credentials xmlns='${SCRAM}' mechanism='${mechanism}'><iter-count>${iterations}</iter-count>` +
    `<salt>${salt.toString('base64')}</salt><server-key>${serverKey.toString('base64')}</server-key>` +
    `<stored-key>${storedKey.toString('base64')}</stored-key></scram-credentials>`
  );
}

/** Reads the credentials of an account; a sentence when they cannot be used here. */
export function readCredentials(elements: readonly Element[]): Credentials | string {
  let salt: Buffer | undefined;
  let iterations = 0;
  const keys: Partial<Record<ScramHash, StoredKeys>> = {};
  for (const element of elements) {
    const known = HASHES.find(({ mechanism }) => mechanism === element.attrs.mechanism);
    if (!known) continue;
    const text = (name: string): string => element.getChildText(name, SCRAM)?.trim() ?? '';
    const own = bytes(text('salt'));
    const [storedKey, serverKey] = [bytes(text('stored-key')), bytes(text('server-key'))];
    const count = Number(/^[1-9][0-9]*$/.exec(text('iter-count'))?.[0] ?? 0);
    if (!own || own.length > SALT || storedKey?.length !== known.bytes || serverKey?.length !== known.bytes)
      return `the credentials for ${known.mechanism} are none`;
    if (count === 0 || count > ITERATIONS) return `the iteration count for ${known.mechanism} is none`;
    if (salt && (!salt.equals(own) || count !== iterations)) return 'the mechanisms have different salts';
    salt = own;
    iterations = count;
    keys[known.hash] = { storedKey, serverKey };
  }
  const { sha1, sha256, sha512 } = keys;
  if (!salt || !sha1 || !sha256 || !sha512) {
    const missing = HASHES.filter(({ hash }) => !keys[hash]).map(({ mechanism }) => mechanism);
    return `there are no credentials for ${missing.join(' and ')}`;
  }
  return { salt, iterations, keys: { sha1, sha256, sha512 } };
}

function bytes(text: string): Buffer | undefined {
  return text !== '' && /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** That an account may not log in, of which XEP-0227 knows nothing. */
export function portableStatus(accounts: AccountsService): Portable {
  return {
    name: 'status',
    entry: { name: 'account', xmlns: ACCOUNT },
    export: async account => {
      const status = (await accounts.get(account))?.status ?? 'active';
      return { entries: status === 'active' ? [] : [`<account xmlns='${ACCOUNT}' status='${escapeXml(status)}'/>`] };
    },
    import: async (account, { attrs }) => {
      if (attrs.status !== 'disabled') return { refused: `there is no status '${String(attrs.status)}'` };
      if ((await accounts.get(account))?.status === 'disabled') return 'known';
      await accounts.setStatus(account, 'disabled');
      return 'imported';
    },
  };
}
