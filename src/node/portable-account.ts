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
      return {
        entries: credentials ? HASHES.flatMap(({ hash, mechanism }) => wireOf(credentials, hash, mechanism)) : [],
      };
    },
    import: () => 'known',
  };
}

function wireOf({ salt, iterations, keys }: Credentials, hash: ScramHash, mechanism: string): string[] {
  const own = keys[hash];
  if (!own) return [];
  const { storedKey, serverKey } = own;
  return [
    `<scram-credentials xmlns='${SCRAM}' mechanism='${mechanism}'><iter-count>${iterations}</iter-count>` +
      `<salt>${salt.toString('base64')}</salt><server-key>${serverKey.toString('base64')}</server-key>` +
      `<stored-key>${storedKey.toString('base64')}</stored-key></scram-credentials>`,
  ];
}

/** What a file has of a password, and what of that cannot be used here. */
export interface ReadCredentials {
  readonly credentials?: Credentials;
  /** The mechanisms by which the account can log in with them. */
  readonly mechanisms: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Reads the credentials of an account: of one mechanism or more. One salt and iteration count is kept; where the file has several, they
 * are those of the strongest mechanism.
 */
export function readCredentials(elements: readonly Element[]): ReadCredentials {
  const problems: string[] = [];
  let chosen: { salt: Buffer; iterations: number; mechanism: string } | undefined;
  const keys: Partial<Record<ScramHash, StoredKeys>> = {};
  const mechanisms: string[] = [];
  for (const known of HASHES.toReversed()) {
    const { hash, mechanism } = known;
    const found = elements.filter(({ attrs }) => attrs.mechanism === mechanism);
    if (found.length === 0) continue;
    const read = found.length > 1 ? 'stand there twice' : readKeys(found[0]!, known.bytes);
    if (typeof read === 'string') {
      problems.push(`the credentials for ${mechanism} ${read}`);
      continue;
    }
    const { salt, iterations, ...own } = read;
    chosen ??= { salt, iterations, mechanism };
    if (!chosen.salt.equals(salt) || chosen.iterations !== iterations) {
      problems.push(
        `the credentials for ${mechanism} have another salt or iteration count than those for ${chosen.mechanism}`,
      );
      continue;
    }
    keys[hash] = own;
    mechanisms.push(mechanism);
  }
  if (!chosen) {
    if (problems.length === 0)
      problems.push(`there are no credentials for ${HASHES.map(({ mechanism }) => mechanism).join(' or ')}`);
    return { mechanisms, problems };
  }
  const { salt, iterations } = chosen;
  return { credentials: { salt, iterations, keys }, mechanisms, problems };
}

function readKeys(element: Element, length: number): (StoredKeys & { salt: Buffer; iterations: number }) | string {
  const text = (name: string): string => element.getChildText(name, SCRAM)?.trim() ?? '';
  const salt = bytes(text('salt'));
  const [storedKey, serverKey] = [bytes(text('stored-key')), bytes(text('server-key'))];
  const iterations = Number(/^[1-9][0-9]*$/.exec(text('iter-count'))?.[0] ?? 0);
  if (!salt || storedKey?.length !== length || serverKey?.length !== length) return 'are none';
  if (salt.length > SALT) return `have a salt of more than ${SALT} octets`;
  if (iterations === 0 || iterations > ITERATIONS) return 'have no iteration count';
  return { salt, iterations, storedKey, serverKey };
}

/** The mechanisms that an account of this server has keys for. */
export const MECHANISMS: readonly string[] = HASHES.map(({ mechanism }) => mechanism);

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
