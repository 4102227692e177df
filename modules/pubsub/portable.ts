import type { Imported, Portable } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS, StanzaError } from '../../src/protocol/index.ts';
import { type Element, parseElement, serialize, xml } from '../../src/xml/index.ts';
import { affiliate } from './affiliating.ts';
import { makeNode, reconfigure } from './creating.ts';
import { type Engine, freshSince, mostItems, type Service } from './engine.ts';
import { OWNER, PUBSUB } from './names.ts';
import { AFFILIATIONS, type Affiliation, type Item, type PubsubNode } from './node.ts';
import { DEFAULT_OPTIONS, put } from './subscribing.ts';

/** Of one element: what is more goes into another one of the same node. */
const ITEMS = 100;
const BYTES = 512 * 1024;

interface Parts {
  readonly engine: Engine;
  readonly serviceAt: (account: Jid) => Service;
}

/** The nodes of an account, as they are carried to other servers: XEP-0227 4.10.1. */
export function portableNodes({ engine, serviceAt }: Parts): Portable {
  return {
    name: 'nodes',
    container: { name: 'pubsub', xmlns: OWNER },
    export: async (account, after) => {
      const nodes = [...(await engine.nodes.of(account)).values()].toSorted((a, b) => a.id - b.id);
      const node = nodes.find(({ id }) => id > Number(after));
      if (!node) return { entries: [] };
      return { entries: rulesOf(serviceAt(account), node), next: String(node.id) };
    },
    import: (account, entry) => {
      const name = entry.attrs.node as string | undefined;
      if (name === undefined || name === '') return { refused: 'no node is named' };
      const service = serviceAt(account);
      return engine.nodes.turn(account, name, () => importRules(engine, service, name, entry));
    },
  };
}

function rulesOf({ form }: Service, node: PubsubNode): string[] {
  const x = form.form.form(node.config);
  const of = { node: node.name };
  const affiliations = [...node.affiliations].map(([jid, affiliation]) => xml('affiliation', { jid, affiliation }));
  const subscriptions = [...node.subscriptions.values()].map(({ jid, state }) =>
    xml('subscription', { jid: jid.full, subscription: state }),
  );
  return [
    xml('configure', of, x),
    ...(affiliations.length > 0 ? [xml('affiliations', of, ...affiliations)] : []),
    ...(subscriptions.length > 0 ? [xml('subscriptions', of, ...subscriptions)] : []),
  ].map(element => serialize(element, OWNER));
}

async function importRules(engine: Engine, service: Service, name: string, entry: Element): Promise<Imported> {
  const node = await engine.nodes.find(service.jid, name);
  switch (entry.name) {
    case 'configure': {
      const x = entry.getChild('x', NS.dataForms);
      if (!x) return { refused: 'there is no form' };
      x.attrs.type = 'submit';
      const config = service.form.read(x, node?.config ?? service.defaults);
      if (config instanceof StanzaError) return { refused: config.text ?? 'it cannot be configured so here' };
      if (node && JSON.stringify(node.config) === JSON.stringify(config)) return 'known';
      if (node) await reconfigure(engine, service, node, config);
      else {
        const made = await makeNode(engine, service, service.jid, name, config);
        if (made instanceof StanzaError) return { refused: made.text ?? 'it cannot be made here' };
      }
      return 'imported';
    }
    case 'affiliations':
      return node ? importAffiliations(engine, node, entry) : NO_NODE;
    case 'subscriptions':
      return node ? importSubscriptions(engine, node, entry) : NO_NODE;
    default:
      return { refused: `'${entry.name}' is not known` };
  }
}

const NO_NODE: Imported = { refused: 'there is no such node' };

async function importAffiliations(engine: Engine, node: PubsubNode, entry: Element): Promise<Imported> {
  const changes = new Map<string, Affiliation>();
  for (const { attrs } of entry.getChildren('affiliation')) {
    const jid = parseJid(String(attrs.jid ?? ''))?.toBare();
    const affiliation = attrs.affiliation as Affiliation;
    if (!jid || jid.bare === node.service.bare || !AFFILIATIONS.includes(affiliation)) continue;
    if ((node.affiliations.get(jid.bare) ?? 'none') !== affiliation) changes.set(jid.bare, affiliation);
  }
  if (changes.size === 0) return 'known';
  await affiliate(engine, node, changes, false);
  return 'imported';
}

async function importSubscriptions(engine: Engine, node: PubsubNode, entry: Element): Promise<Imported> {
  let more = false;
  for (const { attrs } of entry.getChildren('subscription')) {
    const jid = parseJid(String(attrs.jid ?? ''));
    if (!jid || node.subscriptions.has(jid.full)) continue;
    await put(engine, node, {
      jid,
      state: attrs.subscription === 'pending' ? 'pending' : 'subscribed',
      options: DEFAULT_OPTIONS,
    });
    more = true;
  }
  return more ? 'imported' : 'known';
}

/** Their items, the oldest first: XEP-0227 4.10.2. */
export function portableItems({ engine, serviceAt }: Parts): Portable {
  return {
    name: 'items of nodes',
    container: { name: 'pubsub', xmlns: PUBSUB },
    entry: { name: 'items', xmlns: PUBSUB },
    export: async (account, after) => {
      const nodes = [...(await engine.nodes.of(account)).values()].toSorted((a, b) => a.id - b.id);
      const [number = '0', last] = after.split(' ');
      const node = nodes.find(({ id }) => (last === undefined ? id > Number(number) : id === Number(number)));
      if (!node) return { entries: [] };
      return itemsFrom(engine, node, last === undefined ? '' : Buffer.from(last, 'base64url').toString());
    },
    import: (account, entry) => {
      const name = entry.attrs.node as string | undefined;
      if (name === undefined || name === '') return { refused: 'no node is named' };
      const service = serviceAt(account);
      return engine.nodes.turn(account, name, async () => {
        const node = await engine.nodes.find(account, name);
        return node ? importItems(engine, service, node, entry) : NO_NODE;
      });
    },
  };
}

async function itemsFrom(engine: Engine, node: PubsubNode, before: string) {
  const page = await engine.store.items.page(node.id, { before, most: ITEMS, since: freshSince(node) });
  const items = (page ?? []).toReversed();
  const some: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    if (some.length > 0 && bytes + item.payload.length > BYTES) break;
    some.push(item);
    bytes += item.payload.length;
  }
  const more = some.length < items.length || items.length === ITEMS;
  const next = more ? `${node.id} ${Buffer.from(some.at(-1)!.id).toString('base64url')}` : String(node.id);
  if (some.length === 0) return { entries: [], next };
  const elements = some.map(({ id, payload }) =>
    xml('item', { id }, payload !== '' && parseElement(payload, NS.client)),
  );
  return { entries: [serialize(xml('items', { node: node.name }, ...elements), PUBSUB)], next };
}

async function importItems(engine: Engine, service: Service, node: PubsubNode, entry: Element): Promise<Imported> {
  const items: Item[] = [];
  const at = Date.now();
  for (const element of entry.getChildren('item')) {
    const id = element.attrs.id as string | undefined;
    const [payload] = element.getChildElements();
    if (id === undefined || id === '') continue;
    const wire = payload ? serialize(payload, '') : '';
    if (wire.length > service.limits.size) return { refused: `an item has at most ${service.limits.size} bytes` };
    const known = await engine.store.items.get(node.id, id, 0);
    if (known?.payload !== wire) items.push({ id, publisher: node.service.bare, at, payload: wire });
  }
  if (items.length === 0 || !node.config.persistItems) return 'known';
  await engine.store.items.publish(node.id, items, mostItems(node, service.limits));
  engine.happened({ node, by: node.service, published: items, retracted: [], emptied: false });
  return 'imported';
}
