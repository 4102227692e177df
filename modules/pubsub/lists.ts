/* Who is subscribed, and who is what: XEP-0060 5.6, 5.7, 8.8, 8.9. */
import { type Answer, Empty } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { affiliate } from './affiliating.ts';
import { type Asked, byOwner, type Engine, forOwner, missing, owner, pubsub, type Service } from './engine.ts';
import { unsupported } from './names.ts';
import { AFFILIATIONS, type Affiliation, isPersonal, ownersOf, type PubsubNode } from './node.ts';
import { decide, DEFAULT_OPTIONS, drop, hasTooMany, put } from './subscribing.ts';

/** 5.6. */
export async function subscriptions(engine: Engine, { service, from, element }: Asked): Promise<Answer> {
  const { node: name } = element.attrs as { node?: string };
  if (name !== undefined && !(await engine.nodes.find(service.jid, name))) return missing(engine, service, name);
  const all = await engine.store.subscriptionsOf(service.jid.bare, from.bare);
  return pubsub(
    xml(
      'subscriptions',
      { node: name },
      ...all
        .filter(({ node }) => name === undefined || node === name)
        .map(({ node, jid, state }) => xml('subscription', { node, jid, subscription: state })),
    ),
  );
}

/** 5.7. */
export async function affiliations(engine: Engine, { service, from, element }: Asked): Promise<Answer> {
  const { node: name } = element.attrs as { node?: string };
  if (name !== undefined && !(await engine.nodes.find(service.jid, name))) return missing(engine, service, name);
  const own = service.personal && from.bare === service.jid.bare;
  const all = own
    ? [...(await engine.nodes.of(service.jid)).keys()].map(node => ({ node, affiliation: 'owner' }))
    : await engine.store.affiliationsOf(service.jid.bare, from.bare);
  return pubsub(
    xml(
      'affiliations',
      { node: name },
      ...all
        .filter(({ node }) => name === undefined || node === name)
        .map(({ node, affiliation }) => xml('affiliation', { node, affiliation })),
    ),
  );
}

/** 8.8.1. */
export async function subscribers(engine: Engine, asked: Asked): Promise<Answer> {
  return forOwner(engine, asked, node => {
    const subscribed = [...node.subscriptions.values()].filter(({ state }) => state === 'subscribed');
    return owner(
      xml(
        'subscriptions',
        { node: node.name },
        ...subscribed.map(({ jid, state }) => xml('subscription', { jid: jid.full, subscription: state })),
      ),
    );
  });
}

/** 8.8.2. */
export async function setSubscribers(engine: Engine, asked: Asked): Promise<Answer> {
  return byOwner(engine, asked, async node => {
    const wrong: Element[] = [];
    for (const { attrs } of asked.element.getChildren('subscription')) {
      const { jid: text = '', subscription: state } = attrs as { jid?: string; subscription?: string };
      // without a state nothing changes
      if (state === undefined) continue;
      const jid = parseJid(text);
      if (!jid || !(await setSubscriber(engine, asked.service, node, jid, state))) {
        const now = jid && node.subscriptions.get(jid.full)?.state;
        wrong.push(xml('subscription', { jid: text, subscription: now ?? 'none' }));
      }
    }
    return wrong.length === 0 ? Empty : notAll('subscriptions', node.name, wrong);
  });
}

/** Whether that could be done. Called in the node's turn. */
async function setSubscriber(
  engine: Engine,
  service: Service,
  node: PubsubNode,
  jid: Jid,
  state: string,
): Promise<boolean> {
  const before = node.subscriptions.get(jid.full);
  if (state === 'none') {
    if (!before) return true;
    await drop(engine, node, [jid]);
    engine.telling.subscription(node, jid, 'none');
    return true;
  }
  if (state !== 'subscribed') return before?.state === state;
  if (before?.state === 'subscribed') return true;
  if (engine.access.affiliation(node, jid) === 'outcast') return false;
  if (before) await decide(engine, node, before, true);
  else if (await hasTooMany(engine, service, node, jid)) return false;
  else {
    await put(engine, node, { jid, state: 'subscribed', options: DEFAULT_OPTIONS });
    engine.telling.subscription(node, jid, 'subscribed');
  }
  return true;
}

/** 8.9.1. */
export async function affiliated(engine: Engine, asked: Asked): Promise<Answer> {
  return forOwner(engine, asked, node => {
    const all: [string, Affiliation][] = [...node.affiliations];
    if (isPersonal(node)) all.unshift([node.service.bare, 'owner']);
    const each = all.map(([jid, affiliation]) => xml('affiliation', { jid, affiliation }));
    return owner(xml('affiliations', { node: node.name }, ...each));
  });
}

/** 8.9.2. */
export async function setAffiliated(engine: Engine, asked: Asked): Promise<Answer> {
  const { service, element } = asked;
  return byOwner(engine, asked, async node => {
    const wanted = readAffiliations(element);
    if (wanted instanceof StanzaError) return wanted;
    const { good, wrong } = sorted(node, wanted, service.limits.affiliations);
    if (good.size > 0) await affiliate(engine, node, good);
    return wrong.length === 0 ? Empty : notAll('affiliations', node.name, wrong);
  });
}

interface Wanted {
  readonly text: string;
  readonly jid: Jid | undefined;
  readonly affiliation: Affiliation;
}

function readAffiliations(element: Element): readonly Wanted[] | StanzaError {
  const wanted: Wanted[] = [];
  const seen = new Set<string>();
  for (const { attrs } of element.getChildren('affiliation')) {
    const { jid: text = '', affiliation } = attrs as { jid?: string; affiliation?: string };
    // without an affiliation nothing changes
    if (affiliation === undefined) continue;
    if (!AFFILIATIONS.includes(affiliation as Affiliation))
      return unsupported(`${affiliation.slice(0, 40)}-affiliation`);
    const jid = parseJid(text)?.toBare();
    // 8.9.2.4
    if (seen.has(jid?.bare ?? text)) return refuse('bad-request', `'${text.slice(0, 100)}' stands there twice.`);
    seen.add(jid?.bare ?? text);
    wanted.push({ text, jid, affiliation: affiliation as Affiliation });
  }
  return wanted;
}

/** What can be done, and what cannot with how it is now: a node has an owner, and an account is that of its own nodes. */
function sorted(node: PubsubNode, wanted: readonly Wanted[], most: number) {
  const good = new Map<string, Affiliation>();
  const wrong: Element[] = [];
  const owners = new Set(ownersOf(node));
  let size = node.affiliations.size;
  // those who become owners first, so that another may go
  for (const { text, jid, affiliation } of wanted.toSorted(byOwnership)) {
    const before = jid && (owners.has(jid.bare) ? 'owner' : (node.affiliations.get(jid.bare) ?? 'none'));
    const own = jid !== undefined && isPersonal(node) && jid.bare === node.service.bare;
    const last = before === 'owner' && affiliation !== 'owner' && (own || owners.size === 1);
    if (before === 'none' && affiliation !== 'none') size++;
    if (!jid || last || (own && affiliation !== 'owner') || size > most) {
      wrong.push(xml('affiliation', { jid: text, affiliation: before ?? 'none' }));
      continue;
    }
    if (affiliation === 'owner') owners.add(jid.bare);
    else owners.delete(jid.bare);
    if (affiliation !== before) good.set(jid.bare, affiliation);
  }
  return { good, wrong };
}

function byOwnership(a: Wanted, b: Wanted): number {
  return Number(b.affiliation === 'owner') - Number(a.affiliation === 'owner');
}

/** 8.8.2.4, 8.9.2.4: what could not be done comes back as it is; the rest is done. */
function notAll(list: string, node: string, wrong: readonly Element[]): StanzaError {
  return new StanzaError('not-acceptable', { content: owner(xml(list, { node }, ...wrong)) });
}
