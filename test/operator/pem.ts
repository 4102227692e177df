import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { generate } from 'selfsigned';

const DAY = 86_400_000; // ms

export interface Pem {
  readonly certificate: string;
  readonly key: string;
  /** SHA-256, as an operator sees it. */
  readonly fingerprint: string;
}

/** A certificate for a name, valid from and to so many days from now. */
export async function makePem(name: string, from = -1, to = 90): Promise<Pem> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + from * DAY),
    notAfterDate: new Date(Date.now() + to * DAY),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
  });
  return { certificate: cert, key, fingerprint: new X509Certificate(cert).fingerprint256 };
}

/** Writes it as NAME.crt and NAME.key; the lines of the configuration that use it. */
export function writePem(folder: string, name: string, { certificate, key }: Pem): string {
  writeFileSync(path.join(folder, `${name}.crt`), certificate);
  writeFileSync(path.join(folder, `${name}.key`), key);
  return `{ certificate: ${name}.crt, key: ${name}.key }`;
}

/** The fingerprint of the certificate that a client of that host is shown on a port with TLS. */
export function shownAt(port: number, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ socket: net.connect(port, '127.0.0.1'), servername, rejectUnauthorized: false });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
  });
}
