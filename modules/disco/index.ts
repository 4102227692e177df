/*
 * Service discovery (XEP-0030) of the host and of accounts, with extended information (XEP-0128), and the entity capabilities
 * (XEP-0115) of the server in its stream features. What there is to discover is declared by modules (src/api/collections.ts).
 */
import { defineModule, type IqRequest, type Mod } from '../../src/api/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { capsHash } from './caps.ts';
import { Roster } from '../roster/contract.ts';

const CAPS_NODE = 'https://posthouse.example/caps';

interface Entry {
  identities: Element[];
  features: string[];
  forms: Element[];
}

export default defineModule({
  name: 'disco',
  doc: 'Tells clients what the server and its accounts can do.',
  xeps: [
    { number: 30, version: '2.5.0' },
    { number: 115, version: '1.6.0', note: 'of the server' },
    { number: 128, version: '1.0.1' },
  ],
  features: { host: [NS.discoInfo, NS.discoItems, NS.caps], account: [NS.discoInfo, NS.discoItems] },
  setup(mod) {
    mod.add('disco', { of: 'host', identity: { category: 'server', type: 'im', name: 'Posthouse' } });
    mod.add('disco', { of: 'account', identity: { category: 'account', type: 'registered' } });

    mod.iq({ xmlns: NS.discoInfo, name: 'query', type: 'get', to: 'both', from: 'anyone' }, request =>
      info(mod, request),
    );
    const absent = { bare: noItems };
    mod.iq({ xmlns: NS.discoItems, name: 'query', type: 'get', to: 'both', from: 'anyone', absent }, request =>
      items(mod, request),
    );

    const ver = cached(mod);
    mod.add('streamFeatures', {
      when: 'after-login',
      feature: host => xml('c', { xmlns: NS.caps, hash: 'sha-1', node: CAPS_NODE, ver: ver(host) }),
    });
  },
});

/** Everything that is declared of the host or of its accounts. Features come once each, in order. */
function gather(mod: Mod, of: 'host' | 'account', host: string): Entry {
  const entry: Entry = { identities: [], features: [], forms: [] };
  const features = new Set<string>();
  for (const { owner, item } of mod.collections.disco.entries) {
    if (item.of !== of || !mod.node.moduleEnabled(owner, host)) continue;
    if (item.feature && item.when?.(host) !== false) features.add(item.feature);
    if (item.identity) {
      const { category, type, name, lang } = item.identity;
      entry.identities.push(xml('identity', { category, type, name, 'xml:lang': lang }));
    }
    const form = item.form?.(host);
    if (form) entry.forms.push(form);
  }
  entry.features = [...features].sort();
  return entry;
}

/** The verification string of each host, made anew when modules declare other things, or the configuration is another. */
function cached(mod: Mod): (host: string) => string {
  const known = new Map<string, { version: number; options: object; ver: string }>();
  return host => {
    const { version } = mod.collections.disco;
    // a configuration has options objects of its own
    const options = mod.options(host);
    let entry = known.get(host);
    if (entry?.version !== version || entry.options !== options)
      known.set(host, (entry = { version, options, ver: capsHash(gather(mod, 'host', host)) }));
    return entry.ver;
  };
}

/** XEP-0030 8: an account tells strangers nothing, not even whether it is there. */
async function mayAsk(mod: Mod, request: IqRequest): Promise<boolean> {
  if (request.own || request.to.isDomain) return true;
  const roster = mod.maybe(Roster);
  return roster !== undefined && (await roster.hasSubscriptionFrom(request.to, request.from));
}

async function info(mod: Mod, request: IqRequest) {
  if (!(await mayAsk(mod, request))) return refuse('service-unavailable');
  const host = request.to.domain;
  const of = request.to.isDomain ? 'host' : 'account';
  const node = request.payload.attrs.node;
  if (node !== undefined && node !== '') {
    const { identities, features, forms } = gather(mod, of, host);
    // XEP-0115 6.2: what the capabilities stand for
    if (of === 'host' && node === `${CAPS_NODE}#${capsHash({ identities, features, forms })}`) {
      return query(NS.discoInfo, node, [...identities, ...features.map(feature), ...forms]);
    }
    for (const item of nodes(mod, of, host, node)) {
      const answer = await item.info?.({ node, from: request.from, to: request.to });
      if (answer) return answer;
    }
    return refuse('item-not-found');
  }
  const { identities, features, forms } = gather(mod, of, host);
  return query(NS.discoInfo, undefined, [...identities, ...features.map(feature), ...forms]);
}

/** XEP-0030 8: what a stranger is told has no items, whether there is such an account or not. */
function noItems(request: IqRequest): Element {
  return query(NS.discoItems, request.payload.attrs.node, []);
}

async function items(mod: Mod, request: IqRequest) {
  if (!(await mayAsk(mod, request))) return noItems(request);
  const host = request.to.domain;
  const of = request.to.isDomain ? 'host' : 'account';
  const node = request.payload.attrs.node;
  if (node !== undefined && node !== '') {
    for (const item of nodes(mod, of, host, node)) {
      const answer = await item.items?.({ node, from: request.from, to: request.to });
      if (answer) return answer;
    }
    return refuse('item-not-found');
  }
  if (of === 'account') return query(NS.discoItems, undefined, await ofAccount(mod, request));
  const list: Element[] = [];
  for (const { owner, item } of mod.collections.discoItems.entries) {
    if (!mod.node.moduleEnabled(owner, host) || item.visible?.(request.from, host) === false) continue;
    list.push(xml('item', { jid: item.jid(host), name: item.name, node: item.node }));
  }
  return query(NS.discoItems, undefined, list);
}

async function ofAccount(mod: Mod, request: IqRequest): Promise<Element[]> {
  const list = resources(mod, request);
  for (const { owner, item } of mod.collections.discoAccountItems.entries) {
    if (!mod.node.moduleEnabled(owner, request.to.domain)) continue;
    const items = await item.items(request);
    if (!(items instanceof StanzaError)) list.push(...items);
  }
  return list;
}

/** XEP-0030 4.1: the available resources of an account, but not the one that asks. */
function resources(mod: Mod, { to, from }: IqRequest): Element[] {
  const sessions = mod.node.user(to)?.sessions ?? [];
  return sessions
    .filter(session => session.presence !== undefined && session.jid.full !== from.full)
    .map(({ jid }) => xml('item', { jid: jid.full }));
}

function* nodes(mod: Mod, of: 'host' | 'account', host: string, node: string) {
  for (const { owner, item } of mod.collections.discoNodes.entries) {
    if (item.of !== of || !mod.node.moduleEnabled(owner, host)) continue;
    if (item.node === node || (item.node.endsWith('*') && node.startsWith(item.node.slice(0, -1)))) yield item;
  }
}

function feature(name: string): Element {
  return xml('feature', { var: name });
}

function query(xmlns: string, node: string | undefined, children: Element[]): Element {
  return xml('query', { xmlns, node }, ...children);
}
