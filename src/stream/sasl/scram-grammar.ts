// The client's two messages, RFC 5802 7, read strictly: what the grammar does not have is an error, given as a sentence.
import { isUtf8 } from 'node:buffer';
import { decodeBase64 } from './base64.ts';

/** Octets in one message; the longest JID, escaped, and a long nonce have room. */
export const maxMessage = 8192;

export interface ClientFirst {
  /** `n`: the client cannot bind, `y`: it could but thinks that the server cannot, `p`: it does. */
  flag: 'n' | 'y' | 'p';
  /** The binding's name with flag `p`, otherwise empty. */
  binding: string;
  authzid: string | undefined;
  /** Flag and authzid with both commas, as sent: `c=` repeats it. */
  gs2Header: string;
  /** The rest, as sent: the head of AuthMessage. */
  bare: string;
  username: string;
  nonce: string;
}

export interface ClientFinal {
  channelBinding: Buffer;
  nonce: string;
  proof: Buffer;
  /** As sent: the tail of AuthMessage. */
  withoutProof: string;
}

const bindingName = /^[A-Za-z0-9.-]+$/; // cb-name
const printable = /^[\x21-\x2b\x2d-\x7e]+$/; // a nonce
const attribute = /^[A-Za-z]=./s; // attr-val; the comma that would end the value is gone already
const ownAttributes = 'nrcspiave'; // they have one place each, which is not among the extensions

/** The message as text, undefined where it is too long, not UTF-8, or has a NUL. */
export function messageText(data: Buffer): string | undefined {
  if (data.length > maxMessage || !isUtf8(data) || data.includes(0)) return undefined;
  return data.toString('utf8');
}

export function parseClientFirst(text: string): ClientFirst | string {
  const first = text.indexOf(',');
  const second = text.indexOf(',', first + 1);
  if (first < 0 || second < 0) return 'no gs2-header';

  const flagText = text.slice(0, first);
  let flag: ClientFirst['flag'];
  let binding = '';
  if (flagText === 'n' || flagText === 'y') flag = flagText;
  else if (flagText.startsWith('p=')) {
    flag = 'p';
    binding = flagText.slice(2);
    if (!bindingName.test(binding)) return 'bad channel binding name';
  } else return 'bad gs2-cbind-flag';

  let authzid: string | undefined;
  if (second > first + 1) {
    const field = text.slice(first + 1, second);
    authzid = field.startsWith('a=') ? decodeSaslName(field.slice(2)) : undefined;
    if (authzid === undefined) return 'bad authzid';
  }

  const bare = text.slice(second + 1);
  const [name = '', nonce = '', ...extensions] = bare.split(',');
  if (name.startsWith('m=')) return 'extensions-not-supported'; // RFC 5802 5.1: must fail
  const username = name.startsWith('n=') ? decodeSaslName(name.slice(2)) : undefined;
  if (username === undefined) return 'bad username';
  if (!nonce.startsWith('r=') || !printable.test(nonce.slice(2))) return 'bad nonce';
  const fault = extensionFault(extensions);
  if (fault) return fault;
  return { flag, binding, authzid, gs2Header: text.slice(0, second + 1), bare, username, nonce: nonce.slice(2) };
}

export function parseClientFinal(text: string): ClientFinal | string {
  const [binding = '', nonce = '', ...rest] = text.split(',');
  const last = rest.pop() ?? '';
  const channelBinding = binding.startsWith('c=') ? decodeBase64(binding.slice(2)) : undefined;
  if (!channelBinding?.length) return 'bad channel-binding';
  if (!nonce.startsWith('r=') || !printable.test(nonce.slice(2))) return 'bad nonce';
  const fault = extensionFault(rest);
  if (fault) return fault;
  const proof = last.startsWith('p=') ? decodeBase64(last.slice(2)) : undefined;
  if (!proof?.length) return 'bad proof';
  return { channelBinding, nonce: nonce.slice(2), proof, withoutProof: text.slice(0, text.lastIndexOf(',')) };
}

/** Optional extensions are ignored, as long as they are well formed. */
function extensionFault(extensions: readonly string[]): string | undefined {
  for (const extension of extensions) {
    if (!attribute.test(extension)) return 'bad extension';
    if (extension.startsWith('m=')) return 'extensions-not-supported';
    if (ownAttributes.includes(extension.charAt(0))) return 'attribute out of place';
  }
  return undefined;
}

/** saslname: one character or more, comma and equals sign only as =2C and =3D. */
function decodeSaslName(text: string): string | undefined {
  if (text === '' || /=(?!2C|3D)/.test(text)) return undefined;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}
