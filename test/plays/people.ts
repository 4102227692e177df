/* What plays about contacts have in common: rosters as plain values, and how two become friends. */
import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';

export const ROSTER = `<query xmlns='jabber:iq:roster'/>`;

/** A roster set (RFC 6121 2.1.5). */
export const rosterSet = (item: string): string => `<query xmlns='jabber:iq:roster'>${item}</query>`;

/** An item as it is on the wire. */
export interface Item {
  jid?: string;
  name?: string;
  subscription?: string;
  ask?: string;
  approved?: string;
  groups?: string[];
}

export function itemOf(element: Element): Item {
  const groups = element.getChildren('group').map(group => group.getText());
  const { xmlns: _, ...attributes } = element.attrs;
  return { ...attributes, ...(groups.length > 0 ? { groups } : {}) };
}

/** The items of a roster result or push. */
export function itemsOf(iq: Element): Item[] {
  return iq.getChild('query', 'jabber:iq:roster')!.getChildren('item').map(itemOf);
}

/** The roster, by address. */
export async function rosterOf(client: TestClient): Promise<Map<string, Item>> {
  return new Map(itemsOf(await client.iq('get', ROSTER)).map(item => [item.jid!, item]));
}

export const isPush = (stanza: Element): boolean =>
  stanza.name === 'iq' && stanza.attrs.type === 'set' && stanza.getChild('query', 'jabber:iq:roster') !== undefined;

/** The next roster push (2.1.6), and its one item. */
export async function push(client: TestClient, jid?: string): Promise<Item> {
  const iq = await client.expect(
    stanza => isPush(stanza) && (jid === undefined || itemsOf(stanza)[0]?.jid === jid),
    `a roster push${jid === undefined ? '' : ` of ${jid}`}`,
  );
  const items = itemsOf(iq);
  assert.equal(items.length, 1);
  return items[0]!;
}

export function bareOf(client: TestClient): string {
  return client.jid.split('/')[0]!;
}

/** One is allowed to see the other. Both have to be available. */
export async function subscribe(one: TestClient, other: TestClient): Promise<void> {
  one.send(`<presence to='${bareOf(other)}' type='subscribe'/>`);
  await other.presence(bareOf(one), 'subscribe');
  other.send(`<presence to='${bareOf(one)}' type='subscribed'/>`);
  await one.presence(bareOf(other), 'subscribed');
  await one.presence(other.jid);
}

/** Both see each other; what that brought is out of their inboxes. */
export async function befriend(one: TestClient, other: TestClient): Promise<void> {
  await subscribe(one, other);
  await subscribe(other, one);
  await one.settle();
  await other.settle();
}

/** What is short enough to be compared: kind, type, sender's and recipient's address. */
export function brief({ name, attrs }: Element): string {
  return `${name}${attrs.type === undefined ? '' : ` ${attrs.type}`} ${attrs.from ?? '-'} > ${attrs.to ?? '-'}`;
}
