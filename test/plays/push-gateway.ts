/* What plays of the push gateway have in common: a node with vendors beside it, and devices that register. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { tempFolder } from '../kit/temp.ts';
import { AnyVendor, ApnsVendor, FcmVendor, vendorPem, WebPushVendor } from '../kit/vendors.ts';
import { DATA, enable, publishOptions } from './push.ts';
import { ok } from './rooms.ts';

export const GATEWAY = 'push.localhost';
export const COMMANDS = 'http://jabber.org/protocol/commands';

export interface Vendors {
  readonly web: WebPushVendor;
  readonly fcm: FcmVendor;
  readonly apns: ApnsVendor;
  readonly any: AnyVendor;
}

export async function openVendors(): Promise<Vendors> {
  return {
    web: await WebPushVendor.open(),
    fcm: await FcmVendor.open(),
    apns: await ApnsVendor.open(),
    any: await AnyVendor.open(),
  };
}

export async function closeVendors(vendors: Vendors): Promise<void> {
  await Promise.all(Object.values(vendors).map((vendor: { close(): Promise<void> }) => vendor.close()));
}

/** The options of a gateway that speaks to these vendors; secrets are in files, as an operator has them. */
export async function gatewayOptions({ fcm, apns, any }: Vendors, more: object = {}): Promise<object> {
  const folder = tempFolder();
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const { key, keyId, teamId, topic, server } = apns.options;
  return {
    ca: file('ca.pem', (await vendorPem()).certificate),
    webPush: { contact: 'mailto:admin@example.org', hosts: ['localhost'] },
    fcm: { account: { file: file('account.json', fcm.account) }, server: fcm.url },
    apns: { key: { file: file('key.p8', key) }, keyId, teamId, topic, server },
    templates: { mi: { url: `${any.url}/send`, body: '{"to":"{token}","n":{count}}' } },
    ...more,
  };
}

export async function gateway(vendors: Vendors, more: object = {}, users: readonly string[] = []): Promise<TestNode> {
  const modules = { push: { pause: 0 }, groups: {}, 'push-gateway': await gatewayOptions(vendors, more) };
  return TestNode.start({
    users: ['romeo', 'juliet', 'nurse', ...users],
    yaml: `modules: ${JSON.stringify(modules)}\n`,
  });
}

/** Runs a command of the gateway as apps do it, in one go. */
export function execute(client: TestClient, node: string, values: Readonly<Record<string, string>>): Promise<Element> {
  const fields = Object.entries(values).map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`);
  const x = `<x xmlns='${DATA}' type='submit'>${fields.join('')}</x>`;
  return client.iq('set', `<command xmlns='${COMMANDS}' node='${node}' action='execute'>${x}</command>`, GATEWAY);
}

export interface Registered {
  readonly jid: string;
  readonly node: string;
  readonly secret: string;
}

export function registeredBy(answer: Element): Registered {
  ok(answer);
  const fields = answer.getChild('command', COMMANDS)!.getChild('x', DATA)!.getChildren('field');
  return Object.fromEntries(
    fields.map(field => [field.attrs.var, field.getChildText('value')]),
  ) as unknown as Registered;
}

/** Registers a device, and enables notifications for it. */
export async function register(
  client: TestClient,
  node: string,
  values: Readonly<Record<string, string>>,
): Promise<Registered> {
  const registered = registeredBy(await execute(client, node, values));
  assert.equal(registered.jid, GATEWAY);
  const inner = publishOptions({ secret: registered.secret });
  ok(await client.iq('set', enable(inner, registered.node, registered.jid)));
  return registered;
}
