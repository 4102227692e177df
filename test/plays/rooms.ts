/* What plays of rooms (XEP-0045) have in common: a node with witches, how they enter a room, and what they are told, in short. */
import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

export const MUC = 'http://jabber.org/protocol/muc';
export const USER = `${MUC}#user`;
export const ADMIN = `${MUC}#admin`;
export const OWNER = `${MUC}#owner`;
export const ROOM = 'coven@conference.localhost';

export const X = `<x xmlns='${MUC}'/>`;

/** A node with rooms; the accounts are 'crone1', 'wiccarocks', 'hag66' and `more`. */
export function cave(yaml = '', more: readonly string[] = []): Promise<TestNode> {
  const modules = yaml.includes('modules:') ? yaml : `modules: { rooms: {} }\n${yaml}`;
  return TestNode.start({ users: ['crone1', 'wiccarocks', 'hag66', ...more], yaml: modules });
}

/** Presence in a room as text: 'nick type affiliation/role jid codes'. */
export function told(presence: Element): string {
  const { attrs } = presence;
  const x = presence.getChild('x', USER);
  const item = x?.getChild('item');
  const codes = x?.getChildren('status').map(status => status.attrs.code) ?? [];
  const parts = [
    attrs.from!.split('/')[1] ?? attrs.from,
    attrs.type,
    item && `${item.attrs.affiliation}/${item.attrs.role}`,
    item?.attrs.jid?.split('@')[0],
    item?.attrs.nick && `nick=${item.attrs.nick}`,
    codes.length > 0 && codes.join(','),
  ];
  return parts.filter(part => part !== undefined && part !== false && part !== '').join(' ');
}

/** All presence that came until now, in short. */
export async function presences(client: TestClient): Promise<string[]> {
  return (await client.settle()).filter(stanza => stanza.name === 'presence').map(told);
}

/** Enters a room, and waits for the subject, which is the last that is told. What came before it is returned. */
export async function enter(client: TestClient, nick: string, { room = ROOM, x = X } = {}): Promise<Element[]> {
  client.send(`<presence to='${room}/${nick}'>${x}</presence>`);
  await client.expect(
    stanza => stanza.name === 'message' && stanza.getChild('subject') !== undefined,
    `the subject of ${room}`,
  );
  return client.inbox.splice(0);
}

/** Makes a room and unlocks it as it is (10.1.2), with these fields. */
export async function make(
  client: TestClient,
  nick: string,
  fields: Readonly<Record<string, string>> = {},
  room = ROOM,
): Promise<void> {
  await enter(client, nick, { room });
  await configure(client, fields, room);
  client.inbox.splice(0);
}

/** Configures a room (10.2). */
export async function configure(
  client: TestClient,
  fields: Readonly<Record<string, string>>,
  room = ROOM,
): Promise<Element> {
  const all = Object.entries({ FORM_TYPE: `${MUC}#roomconfig`, ...fields });
  const form = all.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`).join('');
  const x = `<x xmlns='jabber:x:data' type='submit'>${Object.keys(fields).length > 0 ? form : ''}</x>`;
  return ok(await client.iq('set', `<query xmlns='${OWNER}'>${x}</query>`, room));
}

/** muc#admin with these items. */
export function admin(client: TestClient, type: 'get' | 'set', items: string, room = ROOM): Promise<Element> {
  return client.iq(type, `<query xmlns='${ADMIN}'>${items}</query>`, room);
}

export function ok(answer: Element): Element {
  assert.equal(answer.attrs.type, 'result', String(answer));
  return answer;
}

/** 'condition type' of an error stanza. */
export function error(stanza: Element): string {
  const element = stanza.getChild('error');
  return `${element?.getChildElements()[0]?.name} ${element?.attrs.type}`;
}
