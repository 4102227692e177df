/* What servers publish for devices: XEP-0357 6. */
import { timingSafeEqual } from 'node:crypto';
import { type Answer, Empty, type IqRequest } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { formFields, formTypeOf, NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import type { Payload } from './channel.ts';
import type { Device } from './device.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { DeviceStore } from './store.ts';

export const PUSH = 'urn:xmpp:push:0';
export const PUBSUB = 'http://jabber.org/protocol/pubsub';
const OWN = 'urn:posthouse:push:0';
const PUBLISH_OPTIONS = `${PUBSUB}#publish-options`;
const PUBSUB_ERRORS = `${PUBSUB}#errors`;
const SUMMARY = 'urn:xmpp:push:summary';
/** Characters of a text that are passed on: vendors take 4 KB in all. */
const LONGEST = 1000;
const MOST = 1_000_000_000;

export async function publish(store: DeviceStore, dispatcher: Dispatcher, request: IqRequest): Promise<Answer> {
  const publishing = request.payload.getChild('publish');
  if (!publishing) return unsupported();
  const { node } = publishing.attrs as { node?: string };
  if (!node) return refuse('bad-request', 'A device has a node.');
  const device = await store.get(node);
  if (!device || !dispatcher.has(device.channel)) return refuse('item-not-found', 'There is no such device.');
  if (!mayPublish(request, device)) return refuse('forbidden', 'The secret of this device is another.');
  const notification = publishing.getChild('item')?.getChild('notification', PUSH);
  if (!notification) return refuse('bad-request', 'A notification is published here (XEP-0357).');
  if (dispatcher.send(device, payloadOf(node, notification)) === 'full')
    return new StanzaError('resource-constraint', { type: 'wait', text: 'Too many notifications are under way.' });
  return Empty;
}

/** XEP-0357 4.2: who knows the secret; of the apps that have no place for one, the server of the device's owner. */
function mayPublish({ payload, from }: IqRequest, { owner, secret }: Device): boolean {
  const x = payload
    .getChild('publish-options')
    ?.getChildren('x', NS.dataForms)
    .find(form => formTypeOf(form) === PUBLISH_OPTIONS);
  const shown = x && formFields(x).find(({ name }) => name === 'secret')?.values[0];
  if (shown === undefined) return from.full === owner.domain || from.full === owner.bare;
  const [one, other] = [Buffer.from(shown), Buffer.from(secret)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function payloadOf(node: string, notification: Element): Payload {
  const x = notification.getChildren('x', NS.dataForms).find(form => formTypeOf(form) === SUMMARY);
  const fields = new Map(x ? formFields(x).map(({ name, values }) => [name, values[0] ?? '']) : []);
  const count = (name: string, otherwise: number): number => {
    const text = fields.get(name) ?? '';
    return /^\d{1,15}$/.test(text) ? Math.min(Number(text), MOST) : otherwise;
  };
  const [sender, body] = [fields.get('last-message-sender'), fields.get('last-message-body')];
  return {
    node,
    // a server that counts nothing has something to tell nevertheless
    messages: count('message-count', 1),
    requests: count('pending-subscription-count', 0),
    sender: sender === undefined ? undefined : parseJid(sender)?.full,
    body: body === undefined || body === '' ? undefined : shortened(body),
    isCall: notification.getChild('call', OWN) !== undefined,
  };
}

function shortened(text: string): string {
  if (text.length <= LONGEST) return text;
  const all = [...text.slice(0, 2 * LONGEST + 2)];
  return all.length > LONGEST ? `${all.slice(0, LONGEST - 1).join('')}…` : text;
}

/** XEP-0060: what a push service is not for. */
export function unsupported(): StanzaError {
  return new StanzaError('feature-not-implemented', {
    text: 'This is a push service: notifications are published here, and nothing else is done (XEP-0357).',
    application: xml('unsupported', { xmlns: PUBSUB_ERRORS, feature: 'publish' }),
  });
}

/** Tells the owner of a device, and his server, that nothing is to be published to it any more: XEP-0357 8. */
export function withdrawal({ node, owner }: Device): Element {
  const affiliation = xml('affiliation', { jid: owner.bare, affiliation: 'none' });
  return xml('message', { type: 'headline' }, xml('pubsub', { xmlns: PUBSUB, node }, affiliation));
}
