/** JID escaping (XEP-0106): how a localpart carries characters that RFC 7622 3.3.1 leaves out. */

const ESCAPES: Record<string, string> = {
  ' ': '\\20',
  '"': '\\22',
  '&': '\\26',
  "'": '\\27',
  '/': '\\2f',
  ':': '\\3a',
  '<': '\\3c',
  '>': '\\3e',
  '@': '\\40',
  '\\': '\\5c',
};
const CHARACTERS = new Map(Object.entries(ESCAPES).map(([character, escape]) => [escape, character]));

/** A disallowed character, or a backslash that would otherwise begin one of the escapes (XEP-0106 4.1 rule 7). */
const TO_ESCAPE = /[ "&'/:<>@]|\\(?=2[0267f]|3[ace]|40|5c)/g;
// Case is significant (XEP-0106 3.1): \2F is no escape
const TO_UNESCAPE = /\\(?:2[0267f]|3[ace]|40|5c)/g;

/**
 * Escapes a foreign name for use as a localpart; prepareLocal() of the outcome may still refuse it for other reasons.
 * undefined if it begins or ends with a space, for \20 must be neither first nor last (XEP-0106 4.1 rule 6).
 */
export function escapeNode(name: string): string | undefined {
  if (name.startsWith(' ') || name.endsWith(' ')) return undefined;
  return name.replace(TO_ESCAPE, c => ESCAPES[c]!);
}

/** The name behind an escaped localpart, for people and for foreign systems; never for comparing addresses. */
export function unescapeNode(local: string): string {
  // XEP-0106 4.1 rule 6 read backwards: what could not have been written by escapeNode stays as it is
  return local.replace(TO_UNESCAPE, (escape, at: number) =>
    escape === '\\20' && (at === 0 || at + 3 === local.length) ? escape : CHARACTERS.get(escape)!,
  );
}
