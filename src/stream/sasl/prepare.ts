import saslprep from '@mongodb-js/saslprep';
import { parseJid, prepareLocal } from '../../jid/index.ts';

const plainAscii = /^[\x20-\x7e]+$/;

function prepare(text: string, allowUnassigned: boolean): string | undefined {
  if (plainAscii.test(text)) return text; // SASLprep changes nothing here
  try {
    // The package throws on what the profile prohibits, and also on text of which nothing is left.
    return saslprep(text, { allowUnassigned }) || undefined;
  } catch {
    return undefined;
  }
}

/** SASLprep (RFC 4013) of a name or password that a client sent: a query string. Undefined where prohibited or empty. */
export function saslPrep(text: string): string | undefined {
  return prepare(text, true);
}

/** SASLprep of a password that is to be stored: code points that Unicode 3.2 does not have are refused (RFC 4013 2.5). */
export function saslPrepStored(text: string): string | undefined {
  return prepare(text, false);
}

/** The localpart that a mechanism's user name stands for (RFC 6120 6.3.7), undefined where no account can have it. */
export function localOf(username: string): string | undefined {
  const prepared = saslPrep(username);
  return prepared === undefined ? undefined : prepareLocal(prepared);
}

/**
 * May the user act as this authorization identity? Only as the own bare JID (RFC 6120 6.3.8), which the stream's header must not
 * contradict (XEP-0388 2.3).
 */
export function isOwnJid(authzid: string, local: string, { host, from }: { host: string; from?: string }): boolean {
  const jid = parseJid(authzid);
  if (!jid || jid.local !== local || jid.domain !== host || jid.resource) return false;
  return from === undefined || from === jid.bare;
}
