/* Clients that want to be told of nodes (XEP-0115, XEP-0060 9.2). */
import { createHash } from 'node:crypto';
import type { TestClient } from '../kit/client.ts';

const CAPS = 'http://jabber.org/protocol/caps';
const INFO = 'http://jabber.org/protocol/disco#info';

/** The verification string of a client with these features (XEP-0115 5.1). */
export function verOf(features: readonly string[], hash = 'sha1'): string {
  const text = `client/pc//Play<${features
    .toSorted()
    .map(feature => `${feature}<`)
    .join('')}`;
  return createHash(hash).update(text).digest('base64');
}

export const capsElement = (ver: string, hash = 'sha-1'): string =>
  `<c xmlns='${CAPS}' hash='${hash}' node='urn:example:play' ver='${ver}'/>`;

/** Shows that it wants to be told of nodes. */
export function want(client: TestClient, nodes: readonly string[]): void {
  client.send(`<presence>${capsElement(verOf(nodes.map(node => `${node}+notify`)))}</presence>`);
}

/** Answers the server's question what a client can do; the question's node. */
export async function tell(client: TestClient, features: readonly string[]): Promise<string> {
  const question = await client.expect(
    stanza => stanza.name === 'iq' && stanza.attrs.type === 'get' && stanza.getChild('query', INFO) !== undefined,
    'a question for capabilities',
  );
  const { id, from } = question.attrs as { id: string; from: string };
  const node = question.getChild('query')!.attrs.node as string;
  client.send(
    `<iq type='result' id='${id}' to='${from}'><query xmlns='${INFO}' node='${node}'>` +
      `<identity category='client' type='pc' name='Play'/>${features.map(feature => `<feature var='${feature}'/>`).join('')}` +
      `</query></iq>`,
  );
  return node;
}

/** Wants to be told of nodes, and says so when it is asked. */
export async function wantAsked(client: TestClient, nodes: readonly string[]): Promise<void> {
  want(client, nodes);
  await tell(
    client,
    nodes.map(node => `${node}+notify`),
  );
}
