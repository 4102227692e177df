/* Somebody subscribes, chooses how, and unsubscribes; owners let them in: XEP-0060 6.1 to 6.4, 8.6. */
import { randomUUID } from 'node:crypto';
import { type Answer, Empty } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { defineForm, field, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { formIn } from './config.ts';
import {
  alongWith,
  type Asked,
  type Engine,
  lastItemBefore,
  missing,
  nodeNameOf,
  pubsub,
  type Service,
} from './engine.ts';
import { NOT_SUBSCRIBED, refusal, SUBSCRIBE_AUTHORIZATION, SUBSCRIBE_OPTIONS, unsupported } from './names.ts';
import type { PubsubNode, Subscription, SubscriptionOptions } from './node.ts';

/** Subscriptions of one person to one node, by different addresses. */
const MOST_ADDRESSES = 20;

const SHOW = { online: 'Available', chat: 'Free for chat', away: 'Away', xa: 'Away for long', dnd: 'Busy' };

/** XEP-0060 16.4.2, as far as it is offered. */
const optionsForm = defineForm(SUBSCRIBE_OPTIONS, {
  deliver: field.boolean('pubsub#deliver', { label: 'Send what happens' }),
  showValues: field.choices('pubsub#show-values', SHOW, { label: 'The states of presence in which it is sent' }),
});

const EVERY = Object.keys(SHOW) as (keyof typeof SHOW)[];
/** Without `showValues` it is sent in any state, and also to those who are away. */
const DEFAULT: SubscriptionOptions = { deliver: true, showValues: [] };

/** XEP-0060 16.4.1. */
const authorizationForm = defineForm(SUBSCRIBE_AUTHORIZATION, {
  node: field.text('pubsub#node', { label: 'The node', most: 2000 }),
  subscriber: field.jid('pubsub#subscriber_jid', { label: 'Who subscribes' }),
  allow: field.boolean('pubsub#allow', { label: 'Let them in?' }),
});

/** The address that a subscription is for: that of who asks (6.1.3.1), or undefined. */
function addressOf({ element, from }: Asked): Jid | undefined {
  const jid = parseJid(String((element.attrs as { jid?: string }).jid ?? ''));
  return jid?.bare === from.bare ? jid : undefined;
}

/** 6.1. */
export async function subscribe(engine: Engine, asked: Asked): Promise<Answer> {
  const { service, from, element, session } = asked;
  const name = nodeNameOf(element);
  if (name instanceof StanzaError) return name;
  const jid = addressOf(asked);
  if (!jid) return refusal('bad-request', 'invalid-jid');
  // 6.1.3.6
  if (session?.anonymous) return refuse('forbidden', 'Anonymous accounts do not subscribe.');
  const along = alongWith(asked, 'options');
  if (along instanceof StanzaError) return along;
  const x = along?.getChild('x', 'jabber:x:data');
  const options = x ? readOptions(x, DEFAULT) : DEFAULT;
  if (options instanceof StanzaError) return options;
  return engine.nodes.turn(service.jid, name, async () => {
    const node = await engine.nodes.find(service.jid, name);
    if (!node) return missing(engine, service, name);
    const verdict = await engine.access.subscribe(node, from);
    if (verdict instanceof StanzaError) return verdict;
    if (!node.config.subscribe) return unsupported('subscribe', 'Nobody subscribes there.');
    const before = node.subscriptions.get(jid.full);
    if (before?.state === 'pending') return refusal('not-authorized', 'pending-subscription');
    // who is subscribed already stays so, with new options where there are any
    if (before && !x) return pubsub(stateOf(node, before));
    if (!before && (await hasTooMany(engine, service, node, from)))
      return refusal('policy-violation', 'too-many-subscriptions');
    const state = before || verdict === undefined ? 'subscribed' : 'pending';
    const subscription: Subscription = { jid, state, options };
    await put(engine, node, subscription);
    if (state === 'pending') askOwners(engine, node, jid);
    else if (!before) welcome(engine, node, subscription);
    // 6.3.7
    return pubsub(stateOf(node, subscription), x && xml('options', {}, optionsForm.result(shownOptions(options))));
  });
}

/** Whether somebody has as many subscriptions as one may have. */
export async function hasTooMany(engine: Engine, service: Service, node: PubsubNode, who: Jid): Promise<boolean> {
  let here = 0;
  for (const { jid } of node.subscriptions.values()) if (jid.bare === who.bare) here++;
  if (here >= MOST_ADDRESSES) return true;
  const all = await engine.store.subscriptionsOf(service.jid.bare, who.bare);
  return all.length >= service.limits.subscriptions;
}

function stateOf(node: PubsubNode, { jid, state }: Subscription): Element {
  const attrs = { node: node.name, jid: jid.full, subscription: state };
  return xml('subscription', attrs, state === 'subscribed' && xml('subscribe-options'));
}

/** Stores a subscription. Called in the node's turn. */
export async function put(engine: Engine, node: PubsubNode, subscription: Subscription): Promise<void> {
  const { jid, state, options } = subscription;
  await engine.store.subscribe(node.id, [{ jid: jid.full, entity: jid.bare, state, options }]);
  node.subscriptions.set(jid.full, subscription);
  await engine.nodes.put(node);
}

/** Takes subscriptions away. Called in the node's turn. */
export async function drop(engine: Engine, node: PubsubNode, jids: readonly Jid[]): Promise<void> {
  if (jids.length === 0) return;
  const gone = jids.map(jid => jid.full);
  await engine.store.subscribe(node.id, [], gone);
  for (const jid of gone) node.subscriptions.delete(jid);
  await engine.nodes.put(node);
}

/** What follows when somebody is subscribed: 6.1.7, 8.2 (notify_sub). */
function welcome(engine: Engine, node: PubsubNode, { jid, options }: Subscription): void {
  if (node.config.notifySub) tellOwners(engine, node, jid, 'subscribed');
  if (node.config.sendLastPublishedItem === 'never' || !node.config.deliverNotifications || !options.deliver) return;
  const since = engine.moment();
  // behind the answer
  engine.telling.later(async () => {
    const item = await lastItemBefore(engine, node, since);
    if (item) await engine.telling.last(node, item, jid);
  });
}

export function tellOwners(engine: Engine, node: PubsubNode, jid: Jid, state: string): void {
  const content = xml(
    'event',
    { xmlns: 'http://jabber.org/protocol/pubsub#event' },
    xml('subscription', { node: node.name, jid: jid.full, subscription: state }),
  );
  engine.telling.owners(node, content, randomUUID());
}

/** 8.6; all owners, or the one who wants to be asked again. */
export function askOwners(engine: Engine, node: PubsubNode, jid: Jid, only?: Jid): void {
  const words = { title: 'Somebody wants to subscribe', instructions: 'Whether they may subscribe to this node.' };
  const form = authorizationForm.form({ node: node.name, subscriber: jid, allow: false }, words);
  engine.telling.owners(node, form, randomUUID(), only);
}

/** What an owner has said to that. */
export async function authorize(engine: Engine, service: Service, from: Jid, x: Element): Promise<void> {
  // a form that is cancelled leaves all as it is
  if (x.attrs.type !== 'submit') return;
  const said = authorizationForm.read(x);
  if (said instanceof StanzaError) return;
  const { node: name, subscriber, allow } = said;
  if (name === undefined || !subscriber || allow === undefined) return;
  await engine.nodes.turn(service.jid, name, async () => {
    const node = await engine.nodes.find(service.jid, name);
    const subscription = node?.subscriptions.get(subscriber.full);
    if (!node || subscription?.state !== 'pending' || !engine.access.isOwner(node, from)) return;
    await decide(engine, node, subscription, allow);
  });
}

/** Lets in, or not, who waits. Called in the node's turn. */
export async function decide(
  engine: Engine,
  node: PubsubNode,
  subscription: Subscription,
  allow: boolean,
): Promise<void> {
  const { jid, options } = subscription;
  if (allow) {
    const now: Subscription = { jid, state: 'subscribed', options };
    await put(engine, node, now);
    engine.telling.subscription(node, jid, 'subscribed');
    welcome(engine, node, now);
  } else {
    await drop(engine, node, [jid]);
    engine.telling.subscription(node, jid, 'none');
  }
}

/** Who may not read any more is not subscribed any more, and who had to wait and need not is (12.14). Called in the node's turn. */
export async function subscribersLost(engine: Engine, node: PubsubNode, of?: Jid): Promise<void> {
  for (const subscription of [...node.subscriptions.values()]) {
    const { jid, state } = subscription;
    if (of !== undefined && jid.bare !== of.bare) continue;
    const verdict = await engine.access.subscribe(node, jid);
    if (verdict instanceof StanzaError) {
      await drop(engine, node, [jid]);
      engine.telling.subscription(node, jid, 'none');
    } else if (state === 'pending' && verdict === undefined) await decide(engine, node, subscription, true);
  }
}

/** 6.2. */
export async function unsubscribe(engine: Engine, asked: Asked): Promise<Answer> {
  const { service, element } = asked;
  const name = nodeNameOf(element);
  if (name instanceof StanzaError) return name;
  return engine.nodes.turn(service.jid, name, async () => {
    const node = await engine.nodes.find(service.jid, name);
    if (!node) return missing(engine, service, name);
    const jid = addressOf(asked);
    if (!jid) return refuse('forbidden', 'You may unsubscribe yourself alone.');
    if (!node.subscriptions.has(jid.full)) return NOT_SUBSCRIBED;
    await drop(engine, node, [jid]);
    if (node.config.notifySub) tellOwners(engine, node, jid, 'none');
    return pubsub(xml('subscription', { node: name, jid: jid.full, subscription: 'none' }));
  });
}

/** Whose options are asked for: 6.3.4. */
async function subscriptionOf(
  engine: Engine,
  asked: Asked,
  name: string,
): Promise<{ node: PubsubNode; subscription: Subscription } | StanzaError> {
  const node = await engine.nodes.find(asked.service.jid, name);
  if (!node) return missing(engine, asked.service, name);
  if ((asked.element.attrs as { jid?: string }).jid === undefined) return refusal('bad-request', 'jid-required');
  const jid = addressOf(asked);
  if (!jid) return refuse('forbidden', 'You may choose for yourself alone.');
  const subscription = node.subscriptions.get(jid.full);
  return subscription ? { node, subscription } : NOT_SUBSCRIBED;
}

function readOptions(x: Element, before: SubscriptionOptions): SubscriptionOptions | StanzaError {
  const read = optionsForm.read(x);
  if (read instanceof StanzaError)
    return refusal('bad-request', 'invalid-options', read.text === undefined ? {} : { text: read.text });
  const { deliver = before.deliver, showValues = before.showValues } = read;
  return { deliver, showValues: showValues.length === EVERY.length ? [] : showValues };
}

const shownOptions = ({ deliver, showValues }: SubscriptionOptions) => ({
  deliver,
  showValues: showValues.length === 0 ? EVERY : (showValues as typeof EVERY),
});

/** 6.3.2. */
export async function options(engine: Engine, asked: Asked): Promise<Answer> {
  const name = nodeNameOf(asked.element);
  if (name instanceof StanzaError) return name;
  const found = await subscriptionOf(engine, asked, name);
  if (found instanceof StanzaError) return found;
  const { jid, options: chosen } = found.subscription;
  return pubsub(xml('options', { node: name, jid: jid.full }, optionsForm.form(shownOptions(chosen))));
}

/** 6.3.5. */
export async function setOptions(engine: Engine, asked: Asked): Promise<Answer> {
  const { service, element } = asked;
  const name = nodeNameOf(element);
  if (name instanceof StanzaError) return name;
  return engine.nodes.turn(service.jid, name, async () => {
    const found = await subscriptionOf(engine, asked, name);
    if (found instanceof StanzaError) return found;
    const x = formIn(element);
    if (x instanceof StanzaError) return refusal('bad-request', 'invalid-options');
    if (x.attrs.type === 'cancel') return Empty;
    const chosen = readOptions(x, found.subscription.options);
    if (chosen instanceof StanzaError) return chosen;
    await put(engine, found.node, { ...found.subscription, options: chosen });
    return Empty;
  });
}

/** 6.4. */
export async function defaultOptions(engine: Engine, { service, element }: Asked): Promise<Answer> {
  const { node } = element.attrs as { node?: string };
  if (node !== undefined && !(await engine.nodes.find(service.jid, node))) return missing(engine, service, node);
  return pubsub(xml('default', { node }, optionsForm.result(shownOptions(DEFAULT))));
}

export { DEFAULT as DEFAULT_OPTIONS };
