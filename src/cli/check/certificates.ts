import { existsSync, readFileSync } from 'node:fs';
import type { LoadedConfig } from '../../node/config/index.ts';
import { certificateFiles, readPair } from '../../node/certificates.ts';
import { asciiDomain } from '../../jid/index.ts';
import type { CertificateFacts } from '../../transport/tls-contexts.ts';
import type { Add, Level } from './finding.ts';

const DAY = 86_400_000; // ms
const SOON = 14; // days

/** Whether each host's certificate can be read, fits its key, names the host and holds now. */
export function checkCertificates(config: LoadedConfig, add: Add): void {
  const { hosts, core } = config.values;
  for (const [host, { certificate, key }] of Object.entries(hosts)) {
    const about = `certificate of ${host}`;
    const files = certificateFiles({ host, ...(certificate && { certificate, key }) }, core.storage.folder);
    if (!certificate && !existsSync(files.certificate)) {
      const text =
        'none is configured: a self-signed one is made at the first start, which clients ask their users about';
      add('hint', about, text);
      continue;
    }
    try {
      const [level, text] = judge(host, files.certificate, readPair(host, files).facts);
      add(level, about, text);
      if (level !== 'problem' && chainOf(files.certificate) === 1 && text.endsWith('days'))
        add(
          'hint',
          about,
          `${files.certificate} holds one certificate and none of who issued it: is it the full chain?`,
        );
    } catch (error) {
      add('problem', about, (error as Error).message);
    }
  }
}

function judge(host: string, file: string, facts: CertificateFacts): [Level, string] {
  const { names, notBefore, notAfter, selfSigned } = facts;
  const days = Math.floor((notAfter.getTime() - Date.now()) / DAY);
  if (!covers(names, asciiDomain(host)))
    return ['problem', `${file} is for ${names.join(', ') || 'no name at all'}, not for ${host}`];
  if (notBefore.getTime() > Date.now()) return ['problem', `${file} holds only from ${notBefore.toISOString()} on`];
  if (notAfter.getTime() < Date.now()) {
    const since = notAfter.toISOString();
    return ['problem', `${file} expired at ${since}; put a new one in its place, it is taken up without a restart`];
  }
  if (days < SOON) return ['hint', `${file} expires in ${days} days`];
  if (selfSigned) return ['hint', `${file} is self-signed: clients ask their users about it`];
  return ['ok', `${file} holds for ${days} days`];
}

function chainOf(file: string): number {
  return readFileSync(file, 'utf8').split('-----BEGIN CERTIFICATE-----').length - 1;
}

/** RFC 6125 6.4: by DNS names, with a wildcard for one whole label. */
function covers(names: readonly string[], host: string): boolean {
  return names.some(name => {
    const dns = name.replace(/^(?:DNS|IP Address):/, '').toLowerCase();
    return dns === host || (dns.startsWith('*.') && host.split('.').slice(1).join('.') === dns.slice(2));
  });
}
