/* What plays about publish-subscribe have in common. */
import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { ok } from './verona.ts';

export const PUBSUB = 'http://jabber.org/protocol/pubsub';
const OWNER = `${PUBSUB}#owner`;
const EVENT = `${PUBSUB}#event`;
const ERRORS = `${PUBSUB}#errors`;
/** The service of a node that serves localhost. */
export const SERVICE = 'pubsub.localhost';
/** The client's own account. */
export const OWN = '';

/** Publish-options of nodes with many items that are the account's own affair (XEP-0402, XEP-0490). */
export const MANY_PRIVATE = {
  persist_items: 'true',
  max_items: 'max',
  send_last_published_item: 'never',
  access_model: 'whitelist',
};

const at = (to: string): string | undefined => (to === OWN ? undefined : to);

export const pubsub = (content: string): string => `<pubsub xmlns='${PUBSUB}'>${content}</pubsub>`;
export const owner = (content: string): string => `<pubsub xmlns='${OWNER}'>${content}</pubsub>`;

/** A form that is submitted; fields may have several values. */
export function form(type: string, fields: Readonly<Record<string, string | readonly string[]>>): string {
  const written = Object.entries(fields).map(
    ([name, values]) =>
      `<field var='pubsub#${name}'>${[values]
        .flat()
        .map(value => `<value>${value}</value>`)
        .join('')}</field>`,
  );
  return (
    `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>${PUBSUB}#${type}</value></field>` +
    `${written.join('')}</x>`
  );
}

/** Makes a node, with some of its configuration. */
export async function create(
  client: TestClient,
  node: string,
  config: Readonly<Record<string, string | readonly string[]>> = {},
  to = SERVICE,
): Promise<void> {
  const configure = `<configure>${form('node_config', config)}</configure>`;
  ok(await client.iq('set', pubsub(`<create node='${node}'/>${configure}`), at(to)));
}

export const item = (id: string, text = id): string =>
  `<item id='${id}'><entry xmlns='urn:example:entry'>${text}</entry></item>`;

export function publish(
  client: TestClient,
  node: string,
  items: string,
  to = SERVICE,
  options?: Readonly<Record<string, string>>,
): Promise<Element> {
  const more = options ? `<publish-options>${form('publish-options', options)}</publish-options>` : '';
  return client.iq('set', pubsub(`<publish node='${node}'>${items}</publish>${more}`), at(to));
}

export function subscribe(client: TestClient, node: string, jid: string, to = SERVICE, options = ''): Promise<Element> {
  return client.iq('set', pubsub(`<subscribe node='${node}' jid='${jid}'/>${options}`), to);
}

export function get(client: TestClient, node: string, to = SERVICE, more = '', rsm = ''): Promise<Element> {
  return client.iq('get', pubsub(`<items node='${node}'${more}/>${rsm}`), at(to));
}

/** What an answer says of what was asked for: the child of its <pubsub/>. */
export function said(answer: Element, name: string): Element {
  const all = answer.getChild('pubsub', PUBSUB) ?? answer.getChild('pubsub', OWNER);
  const found = all?.getChild(name);
  assert.ok(found, `no <${name}/>: ${answer.toString()}`);
  return found;
}

/** Ids of the items in an answer. */
export function idsOf(answer: Element): string[] {
  return said(ok(answer), 'items')
    .getChildren('item')
    .map(({ attrs }) => attrs.id as string);
}

/** An error as 'type condition pubsub-condition feature'. */
export function error(answer: Element): string {
  const found = answer.getChild('error');
  assert.ok(found, `no error: ${answer.toString()}`);
  const condition = found.getChildElements()[0]!.name;
  const own = found.getChildElements().find(child => child.getNS() === ERRORS);
  const feature = own?.attrs.feature as string | undefined;
  return [found.attrs.type, condition, own?.name, feature].filter(part => part !== undefined).join(' ');
}

/** The next event, as its one child. */
export async function event(client: TestClient): Promise<Element> {
  return (await eventMessage(client)).getChild('event', EVENT)!.getChildElements()[0]!;
}

export function eventMessage(client: TestClient): Promise<Element> {
  return client.expect(
    stanza => stanza.name === 'message' && stanza.getChild('event', EVENT) !== undefined,
    'an event of a node',
  );
}

/** Events among stanzas, each as 'node: what'. */
export function eventsOf(stanzas: readonly Element[]): string[] {
  return stanzas.flatMap(stanza => {
    const found = stanza.getChild('event', EVENT)?.getChildElements()[0];
    return found ? [briefly(found)] : [];
  });
}

/** An event in a line: 'items news +1 +2', 'items news -1', 'purge news', 'delete news'. */
export function briefly(element: Element): string {
  const parts = element
    .getChildElements()
    .map(({ name, attrs }) => (name === 'item' ? `+${attrs.id}` : name === 'retract' ? `-${attrs.id}` : name));
  return [element.name, element.attrs.node, element.attrs.jid, element.attrs.subscription, ...parts]
    .filter(part => part !== undefined)
    .join(' ');
}
