import assert from 'node:assert/strict';

import { type Element, escapeXml } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';

export const UPLOAD = 'urn:xmpp:http:upload:0';
export const PURPOSE = 'urn:xmpp:http:upload:purpose:0';
export const SERVICE = 'upload.localhost';

export interface SlotUrls {
  readonly put: string;
  readonly get: string;
}

export interface Wanted {
  readonly filename?: string;
  readonly size?: number | string;
  readonly type?: string;
  /** An element of XEP-0363 5. */
  readonly purpose?: string;
}

/** The answer to a request for a slot. */
export function askSlot(client: TestClient, wanted: Wanted = {}): Promise<Element> {
  const { filename = 'file.bin', size = 5, type, purpose = '' } = wanted;
  const content = type === undefined ? '' : ` content-type="${escapeXml(type)}"`;
  return client.iq(
    'get',
    `<request xmlns='${UPLOAD}' filename="${escapeXml(filename)}" size='${size}'${content}>${purpose}</request>`,
    SERVICE,
  );
}

export function urlsOf(answer: Element): SlotUrls {
  assert.equal(answer.attrs.type, 'result', String(answer));
  const slot = answer.getChild('slot', UPLOAD)!;
  return { put: slot.getChild('put')!.attrs.url!, get: slot.getChild('get')!.attrs.url! };
}

export async function slot(client: TestClient, wanted?: Wanted): Promise<SlotUrls> {
  return urlsOf(await askSlot(client, wanted));
}

/** The error of a refusal: its type, its condition, and what else stands in it. */
export function refusalOf(answer: Element): { type: string; condition: string; text: string; extra?: Element } {
  assert.equal(answer.attrs.type, 'error', String(answer));
  const error = answer.getChild('error')!;
  const kids = error.getChildElements();
  return {
    type: error.attrs.type!,
    condition: kids[0]!.name,
    text: error.getChildText('text') ?? '',
    extra: kids.find(kid => kid.getNS() === UPLOAD),
  };
}

/** The same address over the listener for this machine, without TLS. */
export function plain(stage: TestNode, url: string): string {
  const address = new URL(url);
  address.protocol = 'http:';
  address.host = `127.0.0.1:${stage.httpPort}`;
  return address.href;
}

export function put(
  stage: TestNode,
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(plain(stage, url), { method: 'PUT', body, headers });
}

/** Uploads a text; its addresses. */
export async function upload(
  stage: TestNode,
  client: TestClient,
  text: string,
  wanted: Wanted = {},
): Promise<SlotUrls> {
  const bytes = Buffer.from(text);
  const urls = await slot(client, { ...wanted, size: bytes.length });
  const answer = await put(stage, urls.put, bytes, wanted.type === undefined ? {} : { 'Content-Type': wanted.type });
  assert.equal(answer.status, 201, await answer.text());
  return urls;
}

export function get(
  stage: TestNode,
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Response> {
  return fetch(plain(stage, url), { method, headers, redirect: 'manual' });
}
