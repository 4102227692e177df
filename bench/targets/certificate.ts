import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A self-signed P-256 certificate for localhost in the folder, made once. */
export async function certificateIn(folder: string): Promise<CertificateFiles> {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  if (existsSync(files.key)) return files;
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
  });
  writeFileSync(files.cert, `${made.cert.trim()}\n`);
  writeFileSync(files.key, `${made.private.trim()}\n`, { mode: 0o600 });
  return files;
}
