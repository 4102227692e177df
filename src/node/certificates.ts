import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import { asciiDomain } from '../jid/index.ts';
import { type CertificateFacts, certificateFacts, type KeyPair, TlsContexts } from '../transport/tls-contexts.ts';

/** Where a host's certificate is: the operator's own files, or the one made at the first run. */
export interface CertificateSource {
  readonly host: string;
  readonly certificate?: string;
  readonly key?: string;
}

/** Files of a certificate chain and its key. */
export interface KeyFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Where a host's certificate and key are. */
export function certificateFiles(source: CertificateSource, dataDir: string): KeyFiles {
  if (source.certificate && source.key) return { certificate: source.certificate, key: source.key };
  const base = path.join(dataDir, 'certificates', source.host);
  return { certificate: `${base}.crt`, key: `${base}.key` };
}

const VALIDITY_DAYS = 3650;
const DAY = 86_400_000; // ms
/** Days before its end from which on a certificate is complained of. */
const SOON = 14;
const LOOK = 1_000; // ms between two looks at the files

/** The certificates of a node's hosts: found, made, and taken up again when their files change. */
export class Certificates {
  readonly contexts = new TlsContexts();
  readonly facts = new Map<string, CertificateFacts & { file: string; made: boolean }>();
  private readonly dataDir: string;
  private readonly log: Logger;
  private sources: readonly CertificateSource[] = [];
  /** The files as they were when they were read last, and as they were when they were seen to be others. */
  private readonly stamps = new Map<string, string>();
  private readonly changing = new Map<string, string>();
  private readonly timer: NodeJS.Timeout;

  constructor(dataDir: string, log: Logger) {
    this.dataDir = dataDir;
    this.log = log;
    this.timer = setInterval(() => this.look(), LOOK).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /**
   * Loads all, and makes those that have to be made. Rejects with a sentence for each that cannot be used. Nothing
   * changes before the function returned is called.
   */
  async prepare(sources: readonly CertificateSource[]): Promise<() => void> {
    const taken: (() => void)[] = [];
    const faults: string[] = [];
    for (const source of sources) {
      const files = this.files(source);
      try {
        if (!source.certificate) await this.makeIfMissing(source.host, files);
        // before they are read: what changes meanwhile is read again
        const now = stamp(files);
        const { pair, facts } = readPair(source.host, files);
        taken.push(() => {
          this.stamps.set(source.host, now);
          this.take(source.host, pair, facts, files.certificate, !source.certificate);
        });
      } catch (error) {
        faults.push((error as Error).message);
      }
    }
    if (faults.length > 0) throw new Error(faults.join('\n'));
    return () => {
      const hosts = new Set(sources.map(source => source.host));
      for (const host of [...this.facts.keys()].filter(known => !hosts.has(known))) this.drop(host);
      for (const take of taken) take();
      this.sources = sources;
    };
  }

  private drop(host: string): void {
    this.facts.delete(host);
    this.stamps.delete(host);
    this.contexts.delete(host);
  }

  private take(host: string, pair: KeyPair, facts: CertificateFacts, file: string, made: boolean): void {
    this.contexts.set(host, pair);
    this.facts.set(host, { ...facts, file, made });
    const { notAfter } = facts;
    const days = Math.floor((notAfter.getTime() - Date.now()) / DAY);
    const which = `the certificate of ${host} (${file})`;
    if (days < 0)
      this.log.warn(`${which} expired at ${notAfter.toISOString()}: clients will refuse it; replace the file`);
    else if (days < SOON) this.log.warn(`${which} expires in ${days} days`);
  }

  private files(source: CertificateSource): KeyFiles {
    return certificateFiles(source, this.dataDir);
  }

  private async makeIfMissing(host: string, files: KeyFiles): Promise<void> {
    if (exists(files.certificate) && exists(files.key)) return;
    const { generate } = await import('selfsigned');
    const made = await generate([{ name: 'commonName', value: host }], {
      keyType: 'ec',
      curve: 'P-256',
      algorithm: 'sha256',
      notBeforeDate: new Date(Date.now() - DAY),
      notAfterDate: new Date(Date.now() + VALIDITY_DAYS * DAY),
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true },
        { name: 'extKeyUsage', serverAuth: true },
        {
          name: 'subjectAltName',
          altNames: [
            { type: 2, value: asciiDomain(host) },
            { type: 2, value: `*.${asciiDomain(host)}` },
          ],
        },
      ],
    });
    mkdirSync(path.dirname(files.key), { recursive: true, mode: 0o700 });
    writeWhole(files.key, made.private, 0o600);
    writeWhole(files.certificate, made.cert, 0o644);
  }

  /**
   * Takes up certificates whose files have changed, once they stay as they are: certificate and key come one after the other. Keeps
   * the old one when the new cannot be used.
   */
  look(): void {
    for (const source of this.sources) {
      const { host } = source;
      const files = this.files(source);
      const now = stamp(files);
      if (now === this.stamps.get(host)) continue;
      const settled = now === this.changing.get(host);
      this.changing.set(host, now);
      if (!settled) continue;
      this.changing.delete(host);
      this.stamps.set(host, now);
      try {
        const { pair, facts } = readPair(host, files);
        this.take(host, pair, facts, files.certificate, !source.certificate);
        this.log.info({ host, fingerprint: facts.fingerprint }, `a new certificate of ${host} is in use`);
      } catch (error) {
        this.log.error(`${(error as Error).message}: the old certificate stays in use`);
      }
    }
  }
}

/** Reads a certificate and its key. Throws a sentence that names the files when they cannot be used. */
export function readPair(host: string, files: KeyFiles): { pair: KeyPair; facts: CertificateFacts } {
  const read = (what: string, file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      throw new Error(`the ${what} of ${host} cannot be read: ${(error as Error).message}`, { cause: error });
    }
  };
  const pair = { certificate: read('certificate', files.certificate), key: read('key', files.key) };
  try {
    const facts = certificateFacts(pair.certificate);
    new TlsContexts().set(host, pair);
    return { pair, facts };
  } catch (error) {
    const reason =
      (error as { code?: string }).code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
        ? 'the key is not the one of the certificate'
        : (error as Error).message;
    throw new Error(`the certificate of ${host} (${files.certificate}, ${files.key}) cannot be used: ${reason}`, {
      cause: error,
    });
  }
}

/** Files appear whole or not at all. */
function writeWhole(file: string, text: string, mode: number): void {
  writeFileSync(`${file}.new`, text, { mode });
  renameSync(`${file}.new`, file);
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

function stamp(files: KeyFiles): string {
  return [files.certificate, files.key]
    .map(file => statSync(file, { throwIfNoEntry: false }))
    .map(stat => (stat ? `${stat.mtimeMs}:${stat.size}:${stat.ino}` : 'none'))
    .join(' ');
}
