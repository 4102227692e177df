/* What plays of rooms (XEP-0045) have in common: a node with witches, how they enter a room, and what they are told, in short. */
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { ok } from './verona.ts';

export { ok };

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

/** These three, with a client each. */
export async function witches(stage: TestNode, presence = true): Promise<[TestClient, TestClient, TestClient]> {
  const login = (jid: string): Promise<TestClient> => stage.login(jid, { presence });
  const crone = await login('crone1@localhost/desktop');
  const wicca = await login('wiccarocks@localhost/laptop');
  return [crone, wicca, await login('hag66@localhost/pda')];
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

/** A form that is submitted; fields may have several values. */
export function form(fields: Readonly<Record<string, string | readonly string[]>>, type = 'submit'): string {
  const inner = Object.entries(fields).map(([name, values]) => {
    const all = [values].flat().map(value => `<value>${value}</value>`);
    return `<field var='${name}'>${all.join('')}</field>`;
  });
  return `<x xmlns='jabber:x:data' type='${type}'>${inner.join('')}</x>`;
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
  const x = form(Object.keys(fields).length > 0 ? { FORM_TYPE: `${MUC}#roomconfig`, ...fields } : {});
  return ok(await client.iq('set', `<query xmlns='${OWNER}'>${x}</query>`, room));
}

/** muc#admin with these items. */
export function admin(client: TestClient, type: 'get' | 'set', items: string, room = ROOM): Promise<Element> {
  return client.iq(type, `<query xmlns='${ADMIN}'>${items}</query>`, room);
}

/** 'condition type' of an error stanza. */
export function error(stanza: Element): string {
  const element = stanza.getChild('error');
  return `${element?.getChildElements()[0]?.name} ${element?.attrs.type}`;
}

/** The error that a client gets for the stanza of that id, in short. */
export async function refusal(client: TestClient, id: string): Promise<string> {
  return error(await client.expect(({ attrs }) => attrs.type === 'error' && attrs.id === id, 'a refusal'));
}
