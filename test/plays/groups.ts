/* What plays of groups (docs/groups.md) have in common: ad-hoc commands of the service and of groups, and how they are refused. */
import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { admin, ok } from './rooms.ts';

export const GROUPS = 'urn:posthouse:groups:0';
export const SERVICE = 'conference.localhost';
const COMMANDS = 'http://jabber.org/protocol/commands';
const DATA = 'jabber:x:data';

export type Values = Readonly<Record<string, string | readonly string[]>>;

/** A node with groups; `options` are those of the module. */
export function village(options = '{}', more: readonly string[] = [], rest = ''): Promise<TestNode> {
  return TestNode.start({
    users: ['romeo', 'juliet', 'nurse', 'tybalt', ...more],
    yaml: `modules: { rooms: {}, groups: ${options} }\n${rest}`,
  });
}

/** Runs a command with a form, in one go. The answer as it came. */
export function command(client: TestClient, to: string, name: string, values: Values = {}): Promise<Element> {
  const node = `${GROUPS}#${name}`;
  const fields = Object.entries(values).map(([field, texts]) => {
    const all = [texts].flat().map(text => `<value>${text}</value>`);
    return `<field var='${field}'>${all.join('')}</field>`;
  });
  const type = `<field var='FORM_TYPE'><value>${node}</value></field>`;
  const x = `<x xmlns='${DATA}' type='submit'>${type}${fields.join('')}</x>`;
  return client.iq('set', `<command xmlns='${COMMANDS}' node='${node}' action='complete'>${x}</command>`, to);
}

export function noteOf(answer: Element): string {
  assert.equal(answer.attrs.type, 'result', String(answer));
  const done = answer.getChild('command', COMMANDS)!;
  assert.equal(done.attrs.status, 'completed');
  return done.getChildText('note') ?? '';
}

/** What a result form tells, by field. */
export function resultOf(answer: Element): Map<string, string> {
  noteOf(answer);
  const fields = answer.getChild('command', COMMANDS)?.getChild('x', DATA)?.getChildren('field') ?? [];
  return new Map(fields.map(field => [field.attrs.var!, field.getChildText('value') ?? '']));
}

/** 'condition type application' of an error. */
export function refusal(answer: Element): string {
  assert.equal(answer.attrs.type, 'error', String(answer));
  const error = answer.getChild('error')!;
  assert.ok(error.getChildText('text'), 'an error says why');
  const own = error.getChildElements().find(child => child.getNS() === GROUPS);
  return [error.getChildElements()[0]!.name, error.attrs.type, own?.name].filter(Boolean).join(' ');
}

/** Founds a group; its address and number. */
export async function found(
  client: TestClient,
  name: string,
  more: Values = {},
): Promise<{ jid: string; number: string }> {
  const result = resultOf(await command(client, SERVICE, 'found', { name, ...more }));
  return { jid: result.get('jid')!, number: result.get('number')! };
}

/** Somebody of this server is given an affiliation. */
export async function affiliate(by: TestClient, room: string, name: string, affiliation = 'member'): Promise<void> {
  ok(await admin(by, 'set', `<item affiliation='${affiliation}' jid='${name}@localhost'/>`, room));
}

/** The names of those who have one. */
export async function affiliated(by: TestClient, room: string, affiliation: string): Promise<string[]> {
  const answer = ok(await admin(by, 'get', `<item affiliation='${affiliation}'/>`, room));
  const items = answer.getChild('query')!.getChildren('item');
  return items.map(({ attrs }) => attrs.jid!.split('@')[0]!).toSorted();
}
