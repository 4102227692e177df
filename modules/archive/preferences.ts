import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS, refuse, type StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import type { Preferences } from './preferences-store.ts';

const DEFAULTS = ['always', 'never', 'roster'] as const;

/**
 * What the lists say of a contact (XEP-0441 2.3): an entry with a resource stands for that one alone. Who is in both lists is not to
 * be archived.
 */
export function wanted(preferences: Preferences, contact: Jid): Preferences['default'] {
  const { always, never } = preferences;
  if (never.has(contact.full) || never.has(contact.bare)) return 'never';
  if (always.has(contact.full) || always.has(contact.bare)) return 'always';
  return preferences.default;
}

/** As they are told (XEP-0441 2.1). */
export function preferencesElement(preferences: Preferences): Element {
  const list = (name: string, jids: ReadonlySet<string>): Element =>
    xml(name, {}, ...[...jids].map(jid => xml('jid', {}, jid)));
  return xml(
    'prefs',
    { xmlns: NS.mam, default: preferences.default },
    list('always', preferences.always),
    list('never', preferences.never),
  );
}

/** What a client asks for; lists that are left out are empty. */
export function readPreferences(element: Element, most: number): Preferences | StanzaError {
  const behaviour = DEFAULTS.find(name => name === element.attrs.default);
  if (!behaviour) return refuse('bad-request', `'default' is one of ${DEFAULTS.join(', ')}.`);
  const lists: ReadonlySet<string>[] = [];
  for (const name of ['always', 'never']) {
    const list = new Set<string>();
    for (const item of element.getChild(name, NS.mam)?.getChildren('jid', NS.mam) ?? []) {
      const jid = parseJid(item.getText().trim());
      if (!jid) return refuse('jid-malformed', `'${item.getText().slice(0, 100)}' is not an address (RFC 7622).`);
      list.add(jid.full);
    }
    if (list.size > most) return refuse('not-acceptable', `A list has at most ${most} addresses.`);
    lists.push(list);
  }
  return { default: behaviour, always: lists[0]!, never: lists[1]! };
}
