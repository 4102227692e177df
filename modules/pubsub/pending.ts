/* An owner has those who wait to be let in shown again: XEP-0060 8.7, by XEP-0050. */
import { randomUUID } from 'node:crypto';
import type { Answer, IqRequest } from '../../src/api/index.ts';
import { defineForm, field, NS, refuse, StanzaError, submittedFields } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { type Engine, ownedNode, pubsub, type Service } from './engine.ts';
import { PUBSUB, SUBSCRIBE_AUTHORIZATION } from './names.ts';
import { askOwners } from './subscribing.ts';

export const GET_PENDING = `${PUBSUB}#get-pending`;

/** Nodes that are offered to choose from. */
const MOST = 500;

export async function getPending(engine: Engine, service: Service, request: IqRequest): Promise<Answer> {
  const { payload, from } = request;
  const { node, action = 'execute', sessionid } = payload.attrs as Record<string, string | undefined>;
  if (node !== GET_PENDING) return refuse('item-not-found', 'There is no such command.');
  const answer = (status: string, ...children: Element[]): Element =>
    xml('command', { xmlns: NS.commands, node, sessionid: sessionid ?? randomUUID(), status }, ...children);
  if (action === 'cancel') return answer('canceled');
  const x = payload.getChild('x', NS.dataForms);
  if (!x) {
    const names = await engine.store.pendingOf(service.jid.bare, from.bare, MOST);
    return answer('executing', xml('actions', { execute: 'complete' }, xml('complete')), chooser(names));
  }
  const fields = submittedFields(x, SUBSCRIBE_AUTHORIZATION);
  if (fields instanceof StanzaError) return fields;
  for (const name of fields.get('pubsub#node') ?? []) {
    const asked = { service, from, session: undefined, type: request.type, pubsub: pubsub(), element: payload };
    const owned = await ownedNode(engine, asked, name);
    if (owned instanceof StanzaError) return owned;
    for (const { jid, state } of owned.subscriptions.values())
      if (state === 'pending') askOwners(engine, owned, jid, from);
  }
  return answer('completed');
}

function chooser(names: readonly string[]): Element {
  const labels = Object.fromEntries(names.map(name => [name, name]));
  return defineForm(SUBSCRIBE_AUTHORIZATION, {
    node: field.choice('pubsub#node', labels, { label: 'The node' }),
  }).form({});
}
