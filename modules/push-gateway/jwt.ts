import { createPrivateKey, type KeyObject, sign } from 'node:crypto';

/** A private key as it came in a file; throws a sentence when it is none of that kind. */
export function readKey(pem: string, kind: 'ec' | 'rsa'): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Error('this is no private key in PEM');
  }
  if (key.asymmetricKeyType !== kind) throw new Error(`a key of the kind ${kind.toUpperCase()} is needed`);
  return key;
}

/** A signed JSON Web Token (RFC 7519, RFC 7518 3.3, 3.4). */
export function jwt(alg: 'ES256' | 'RS256', key: KeyObject, claims: object, kid?: string): string {
  const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
  const content = `${part({ alg, typ: 'JWT', ...(kid !== undefined && { kid }) })}.${part(claims)}`;
  // JWS has both numbers of an ECDSA signature beside each other, without ASN.1
  const signature = sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' });
  return `${content}.${signature.toString('base64url')}`;
}
