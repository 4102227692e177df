import { createHash, X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { asciiDomain } from '../jid/index.ts';

/** A certificate chain and its key, as PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** RFC 7590, RFC 9325: TLS 1.2 and later, forward secrecy, authenticated encryption. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** What servers of Node's own take for clients that name no host: `tls.Server`, `https.Server`. */
export interface TlsServer {
  setSecureContext(options: tls.SecureContextOptions): void;
  once(event: 'close', listener: () => void): unknown;
}

/** The TLS contexts of the hosts, by name; new connections take the newest. */
export class TlsContexts {
  #byHost = new Map<string, tls.SecureContext>();
  #pairs = new Map<string, KeyPair>();
  #servers = new Set<TlsServer>();
  /** One set of options for all sockets of a context, which keep it as long as they live. */
  #options = new WeakMap<tls.SecureContext, tls.TLSSocketOptions>();
  /** tls-server-end-point data by certificate fingerprint: RFC 5929 4.1. */
  #endPoints = new Map<string, Buffer | undefined>();

  /** Sets a host's certificate; the first one also serves clients that name no host. Throws when key and certificate do not fit. */
  set(host: string, pair: KeyPair): void {
    this.#byHost.set(asciiDomain(host), tls.createSecureContext(contextOptions(pair)));
    this.#pairs.set(host, pair);
    for (const server of this.#servers) this.#serveFirst(server);
  }

  delete(host: string): void {
    this.#byHost.delete(asciiDomain(host));
    this.#pairs.delete(host);
    for (const server of this.#servers) this.#serveFirst(server);
  }

  /** Keeps the certificate that a server of Node's own shows to clients without SNI; those with it are for its SNICallback. */
  serve(server: TlsServer): void {
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
    this.#serveFirst(server);
  }

  #serveFirst(server: TlsServer): void {
    const [pair] = this.#pairs.values();
    if (pair) server.setSecureContext(contextOptions(pair));
  }

  get(host: string | undefined): tls.SecureContext | undefined {
    return (host === undefined ? undefined : this.#byHost.get(asciiDomain(host))) ?? this.#byHost.values().next().value;
  }

  /** Options of a server-side TLS socket. `host` is what the stream header named, for clients without SNI. */
  serverOptions(host: string | undefined): tls.TLSSocketOptions {
    const secureContext = this.get(host)!;
    let options = this.#options.get(secureContext);
    if (!options) {
      options = { isServer: true, secureContext, ALPNCallback: chooseProtocol, SNICallback: this.#chooseContext };
      this.#options.set(secureContext, options);
    }
    return options;
  }

  readonly #chooseContext = (name: string, done: (error: Error | null, context?: tls.SecureContext) => void): void =>
    done(null, this.get(name));

  /** Data that binds an authentication to a TLS connection: RFC 9266, RFC 5929 3, 4. */
  binding(socket: tls.TLSSocket, type: 'tls-exporter' | 'tls-unique' | 'tls-server-end-point'): Buffer | undefined {
    if (type === 'tls-unique') {
      // RFC 5929 3.1: the first Finished, which in a whole handshake is the client's. One that resumes proves nothing without the extended
      // master secret (RFC 7627 6.1), and TLS 1.3 has no such binding
      if (socket.getProtocol() !== 'TLSv1.2' || socket.isSessionReused()) return undefined;
      return socket.getPeerFinished();
    }
    if (type === 'tls-exporter') {
      // RFC 9266 3: with TLS 1.2 it needs the extended master secret, of which Node tells nothing
      if (socket.getProtocol() !== 'TLSv1.3') return undefined;
      return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    }
    const certificate = socket.getCertificate();
    const raw = certificate && 'raw' in certificate ? certificate.raw : undefined;
    return raw && this.endPoint(raw);
  }

  private endPoint(raw: Buffer): Buffer | undefined {
    const key = createHash('sha256').update(raw).digest('hex');
    if (!this.#endPoints.has(key)) this.#endPoints.set(key, certificateHash(raw));
    return this.#endPoints.get(key);
  }
}

/**
 * XEP-0368 4. A function and no list: of a list Node keeps a copy with each socket, which holds some KB of a shared buffer. Undefined
 * refuses.
 */
function chooseProtocol({ protocols }: { protocols: string[] }): string | undefined {
  return protocols.includes('xmpp-client') ? 'xmpp-client' : undefined;
}

function contextOptions(pair: KeyPair): tls.SecureContextOptions {
  return {
    cert: pair.certificate,
    key: pair.key,
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: false,
  };
}

/** RFC 5929 4.1: the certificate under its own signature's hash, MD5 and SHA-1 replaced by SHA-256; none for e.g. Ed25519. */
function certificateHash(raw: Buffer): Buffer | undefined {
  const algorithm = signatureAlgorithm(raw);
  const hash = algorithm && HASHES[algorithm];
  return hash ? createHash(hash).update(raw).digest() : undefined;
}

/** The hash of each signature algorithm, by its object identifier in hexadecimal. */
const HASHES: Record<string, string> = {
  '2a864886f70d010104': 'sha256', // md5WithRSAEncryption
  '2a864886f70d010105': 'sha256', // sha1WithRSAEncryption
  '2a864886f70d01010b': 'sha256', // sha256WithRSAEncryption
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha256', // ecdsa-with-SHA1
  '2a8648ce3d040302': 'sha256', // ecdsa-with-SHA256
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};

/** Object identifier of a certificate's signatureAlgorithm: Certificate ::= SEQUENCE { tbs, algorithm SEQUENCE { OID, ... }, ... } */
function signatureAlgorithm(der: Buffer): string | undefined {
  const outer = derContent(der, 0);
  const tbs = outer && derContent(der, outer.start);
  const algorithm = tbs && derContent(der, tbs.end);
  const oid = algorithm && derContent(der, algorithm.start);
  return oid && der[algorithm.start] === 0x06 ? der.toString('hex', oid.start, oid.end) : undefined;
}

/** Where the content of the DER value at `at` stands. */
function derContent(der: Buffer, at: number): { start: number; end: number } | undefined {
  const first = der[at + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const bytes = first & 0x7f;
  if (bytes === 0 || bytes > 4 || at + 2 + bytes > der.length) return undefined;
  const start = at + 2 + bytes;
  return { start, end: start + der.readUIntBE(at + 2, bytes) };
}

/** What an operator wants to know of a certificate. */
export interface CertificateFacts {
  readonly fingerprint: string;
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly selfSigned: boolean;
}

export function certificateFacts(pem: string): CertificateFacts {
  const x509 = new X509Certificate(pem);
  const names = (x509.subjectAltName ?? '').split(', ').filter(Boolean);
  return {
    fingerprint: x509.fingerprint256,
    names,
    notBefore: new Date(x509.validFrom),
    notAfter: new Date(x509.validTo),
    selfSigned: x509.issuer === x509.subject,
  };
}
