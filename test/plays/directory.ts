/* What plays about the directory (modules/search) have in common. */
import assert from 'node:assert/strict';
import { type Element, escapeXml } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { ok } from './verona.ts';

export const SEARCH = 'jabber:iq:search';
export const DIRECTORY = 'urn:posthouse:directory:0';
export const RSM = 'http://jabber.org/protocol/rsm';
export const SERVICE = 'search.localhost';

type Typed = Readonly<Record<string, string>>;

/** A search by the plain fields: XEP-0055 2.1. */
export function byFields(typed: Typed, more = ''): string {
  const fields = Object.entries(typed).map(([name, text]) => `<${name}>${escapeXml(text)}</${name}>`);
  return `<query xmlns='${SEARCH}'>${fields.join('')}${more}</query>`;
}

/** A search by the form: XEP-0055 3. */
export function byForm(typed: Typed, more = ''): string {
  const fields = Object.entries({ FORM_TYPE: SEARCH, ...typed }).map(
    ([name, text]) => `<field var='${name}'><value>${escapeXml(text)}</value></field>`,
  );
  return `<query xmlns='${SEARCH}'><x xmlns='jabber:x:data' type='submit'>${fields.join('')}</x>${more}</query>`;
}

/** Which part of what is found is wanted: XEP-0059. */
export function page(wishes: Typed): string {
  const set = Object.entries(wishes).map(([name, text]) => `<${name}>${text}</${name}>`);
  return `<set xmlns='${RSM}'>${set.join('')}</set>`;
}

/** The addresses that an answer holds, of whichever kind it is. */
export function foundIn(answer: Element): (string | undefined)[] {
  const query = ok(answer).getChild('query', SEARCH)!;
  const x = query.getChild('x', 'jabber:x:data');
  if (!x) return query.getChildren('item').map(({ attrs }) => attrs.jid);
  assert.equal(x.attrs.type, 'result');
  return x.getChildren('item').map(item => valueOf(item, 'jid'));
}

export function valueOf(item: Element, name: string): string | undefined {
  return (
    item
      .getChildren('field')
      .find(({ attrs }) => attrs.var === name)
      ?.getChildText('value') ?? undefined
  );
}

/** Whom somebody finds by a nickname. */
export async function findNick(client: TestClient, nick: string, service = SERVICE) {
  return foundIn(await client.iq('set', byFields({ nick }), service));
}

export async function findNumber(client: TestClient, number: string, service = SERVICE) {
  return foundIn(await client.iq('set', byForm({ 'x-number': number }), service));
}

export const ENTRY = `<entry xmlns='${DIRECTORY}'/>`;

/** What an account says of being found. */
export function say(attributes: string, number?: string): string {
  const child = number === undefined ? '' : `<number>${number}</number>`;
  return `<entry xmlns='${DIRECTORY}' ${attributes}>${child}</entry>`;
}

/** How it is, as the account sees it. */
export async function entryOf(client: TestClient) {
  const entry = ok(await client.iq('get', ENTRY)).getChild('entry', DIRECTORY)!;
  const { xmlns: _, ...attributes } = entry.attrs as Record<string, string>;
  return { ...attributes, number: entry.getChildText('number') ?? undefined };
}

/** A card (XEP-0054). */
export function card({ nick, full, first, last }: { nick?: string; full?: string; first?: string; last?: string }) {
  const text = (name: string, value: string | undefined) =>
    value === undefined ? '' : `<${name}>${escapeXml(value)}</${name}>`;
  const n = `<N>${text('FAMILY', last)}${text('GIVEN', first)}</N>`;
  return `<vCard xmlns='vcard-temp'>${text('FN', full)}${n}${text('NICKNAME', nick)}</vCard>`;
}

/** A nickname that is published (XEP-0172 4.5). */
export function nickname(nick: string): string {
  return (
    `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='http://jabber.org/protocol/nick'>` +
    `<item id='current'><nick xmlns='http://jabber.org/protocol/nick'>${escapeXml(nick)}</nick></item></publish></pubsub>`
  );
}
