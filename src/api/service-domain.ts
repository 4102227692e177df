import { type Answer, Empty, IQ, type IqRequest, Markup, MESSAGE, Packet, Request } from '../bus/index.ts';
import { type Jid, prepareDomain } from '../jid/index.ts';
import { NS, refuse, StanzaError } from '../protocol/index.ts';
import type { MaybePromise } from '../util/maybe.ts';
import { Element, xml } from '../xml/index.ts';
import type { DiscoItem, DomainRoute } from './collections.ts';
import type { Mod } from './module.ts';

/** What of a domain is addressed: the service itself, something at it (room@service), or something of that (room@service/nick). */
export type Place = 'service' | 'bare' | 'full';

/** Which requests a handler answers. */
export interface ServiceIq {
  readonly xmlns: string;
  /** Payload's name; any when left out. */
  readonly name?: string;
  /** Default 'both'. */
  readonly type?: 'get' | 'set' | 'both';
  readonly to: Place | readonly Place[];
}

/** An identity of XEP-0030 3.1. */
export interface DiscoIdentity {
  readonly category: string;
  readonly type: string;
  readonly name?: string;
  readonly lang?: string;
}

/** What disco#info says. The features of disco itself need not be named. */
export interface DiscoInfo {
  readonly identities: readonly DiscoIdentity[];
  readonly features: readonly string[];
  /** Extended information: result forms (XEP-0128). */
  readonly forms?: readonly Element[];
}

/** What a kind of address answers to disco. `node` is undefined where none, or an empty one, is asked for. */
export interface ServiceDisco {
  /** An element is a whole <query/>: for nodes that are no entity of their own. */
  info?(request: IqRequest, node: string | undefined): MaybePromise<DiscoInfo | Element | StanzaError>;
  /** The children of the <query/>: items, and a <set/> where they are a page (XEP-0059). None when left out. */
  items?(request: IqRequest, node: string | undefined): MaybePromise<readonly Element[] | StanzaError>;
}

export interface ServiceParts {
  /** For disco, also in the items of the host. */
  readonly identity: DiscoIdentity;
  /** The domain below a host, as the options have it; '{host}' stands for the host. */
  readonly domain: (host: string) => string;
  /** Features of the service itself; asked each time. */
  readonly features: (host: string) => readonly string[];
  /** Extended information of the service itself. */
  readonly forms?: (host: string) => readonly Element[];
  /** What others say of nodes, also of those at it; asked first. Undefined: none of them knows it. */
  readonly node?: (
    of: 'info' | 'items',
    request: IqRequest,
    node: string,
  ) => MaybePromise<Element | StanzaError | undefined>;
  /** Takes messages and presence; without it, messages are refused. */
  readonly stanza?: (packet: Packet, place: Place) => MaybePromise<void>;
  /** Takes IQs that no handler is for, results and errors too. False: it has not; requests are then answered service-unavailable. */
  readonly otherIq?: (packet: Packet, place: Place) => MaybePromise<boolean>;
}

/** Returned by a handler that has answered by itself (`answer`), since there was more to do behind that. */
export const Answered = Symbol('answered');

type Handler = (request: IqRequest) => MaybePromise<Answer | typeof Answered>;

/**
 * A domain that a module serves below each host where it is on (`conference.example.org`). Answers disco (XEP-0030), ping (XEP-0199) and
 * version (XEP-0092) for the service itself, and what it is given handlers for; gives messages and presence on.
 *
 *     const service = new ServiceDomain(mod, { identity, domain: host => mod.options(host).domain, features });
 *     service.iq({ xmlns: NS, name: 'query', type: 'get', to: 'bare' }, request => ...);
 *     service.open();
 */
export class ServiceDomain {
  private readonly mod: Pick<Mod, 'add' | 'enabled' | 'log' | 'node' | 'options'>;
  private readonly parts: ServiceParts;
  private readonly table = new Map<string, Handler>();
  private readonly disco = new Map<Place, ServiceDisco>();
  /** The domain of each host, as long as the host's options are these. */
  private readonly names = new Map<string, { readonly options: object; readonly domain: string }>();
  /** The host of each domain that was asked for and is served. */
  private readonly hosts = new Map<string, string>();

  constructor(mod: ServiceDomain['mod'], parts: ServiceParts) {
    this.mod = mod;
    this.parts = parts;
    this.iq({ xmlns: NS.ping, name: 'ping', type: 'get', to: 'service' }, () => Empty);
    this.iq({ xmlns: NS.version, name: 'query', type: 'get', to: 'service' }, () =>
      xml('query', { xmlns: NS.version }, xml('name', {}, 'Posthouse'), xml('version', {}, mod.node.version)),
    );
    this.describe('service', {
      info: ({ to }, node) => {
        if (node !== undefined) return refuse('item-not-found');
        const host = this.hostOf(to.domain)!;
        return {
          identities: [parts.identity],
          features: [NS.ping, NS.version, ...parts.features(host)],
          forms: parts.forms?.(host),
        };
      },
    });
  }

  /** Begins to serve: call it last in setup. */
  open(): void {
    this.mod.add('domains', this.route());
    this.mod.add('discoItems', this.item());
  }

  private route(): DomainRoute {
    return {
      serves: domain => this.hostOf(domain) !== undefined,
      receive: packet => this.receive(packet),
    };
  }

  private item(): DiscoItem {
    return {
      jid: host => this.domainOf(host)!,
      name: this.parts.identity.name,
      visible: (_to, host) => this.domainOf(host) !== undefined,
    };
  }

  /** The domain below a host; undefined where the option makes none. */
  domainOf(host: string): string | undefined {
    // a configuration has options objects of its own
    const options = this.mod.options(host);
    let known = this.names.get(host);
    if (known?.options !== options) {
      const wanted = this.parts.domain(host).replaceAll('{host}', host);
      const domain = prepareDomain(wanted) ?? '';
      if (domain === '' || this.mod.node.hosts.has(domain))
        this.mod.log.error({ host, domain: wanted }, domain === '' ? 'this is no domain' : 'this domain is a host');
      this.names.set(host, (known = { options, domain }));
    }
    return known.domain === '' ? undefined : known.domain;
  }

  /** The host that a domain is below; undefined for one that is not served. */
  hostOf(domain: string): string | undefined {
    const known = this.hosts.get(domain);
    if (known !== undefined && this.serves(known, domain)) return known;
    this.hosts.delete(domain);
    for (const host of this.mod.node.hosts) {
      if (!this.serves(host, domain)) continue;
      this.hosts.set(domain, host);
      return host;
    }
    return undefined;
  }

  private serves(host: string, domain: string): boolean {
    return this.mod.node.hosts.has(host) && this.mod.enabled(host) && this.domainOf(host) === domain;
  }

  /** Answers requests of one payload, until what it returns is called. Throws when they are answered already. */
  iq({ xmlns, name, type = 'both', to }: ServiceIq, handler: Handler): () => void {
    const keys: string[] = [];
    for (const one of type === 'both' ? (['get', 'set'] as const) : [type]) {
      for (const place of typeof to === 'string' ? [to] : to) {
        const key = keyOf(one, place, name ?? '*', xmlns);
        if (this.table.has(key)) throw new Error(`'${key}' is answered already`);
        this.table.set(key, handler);
        keys.push(key);
      }
    }
    return () => {
      for (const key of keys) this.table.delete(key);
    };
  }

  /** What addresses of a kind answer to disco, together with what was said of them before. */
  describe(place: Place, disco: ServiceDisco): void {
    if (!this.disco.has(place)) {
      this.iq({ xmlns: NS.discoInfo, name: 'query', type: 'get', to: place }, request => this.info(request));
      this.iq({ xmlns: NS.discoItems, name: 'query', type: 'get', to: place }, request => this.items(request));
    }
    this.disco.set(place, { ...this.disco.get(place), ...disco });
  }

  private receive(packet: Packet): void | Promise<void> {
    const place = placeOf(packet.to!);
    if (packet.kind === IQ) return this.receiveIq(packet, place);
    if (this.parts.stanza) return this.parts.stanza(packet, place);
    if (packet.kind === MESSAGE && packet.type !== 'headline')
      this.mod.node.bounce(packet, refuse('service-unavailable'));
    return undefined;
  }

  private receiveIq(packet: Packet, place: Place): void | Promise<void> {
    const { stanza, type } = packet;
    if (type === 'get' || type === 'set') {
      const [kid] = stanza.children();
      const [name, xmlns] = [stanza.kidName(kid!), stanza.kidXmlns(kid!)];
      const handler = this.table.get(keyOf(type, place, name, xmlns)) ?? this.table.get(keyOf(type, place, '*', xmlns));
      if (handler) {
        const answer = handler(new Request(packet, type, packet.to!, false));
        return answer instanceof Promise ? answer.then(it => this.finish(packet, it)) : this.finish(packet, answer);
      }
    }
    const taken = this.parts.otherIq?.(packet, place) ?? false;
    return taken instanceof Promise ? taken.then(it => this.unanswered(packet, it)) : this.unanswered(packet, taken);
  }

  private unanswered(packet: Packet, taken: boolean): void {
    // RFC 6120 8.2.3: results and errors are not answered
    if (!taken && (packet.type === 'get' || packet.type === 'set'))
      this.mod.node.bounce(packet, refuse('service-unavailable'));
  }

  private finish(packet: Packet, answer: Answer | typeof Answered): void {
    if (answer !== Answered) this.answer(packet, answer);
  }

  /** Answers a request: for handlers of `otherIq`, and for those that have more to do behind it. */
  answer(packet: Packet, answer: Answer): void {
    if (answer instanceof StanzaError) {
      this.mod.node.bounce(packet, answer);
      return;
    }
    if (answer !== Empty && !(answer instanceof Element) && !(answer instanceof Markup))
      throw new TypeError('this is no answer to a request');
    const wire = packet.resultWire(answer);
    if (packet.sender) packet.sender.sendWire(wire);
    else void this.mod.node.route(Packet.fromWire(wire, packet.to!, packet.from));
  }

  private async info(request: IqRequest): Promise<Answer> {
    const node = nodeOf(request);
    const known = node === undefined ? undefined : await this.parts.node?.('info', request, node);
    if (known) return known;
    const said = await this.disco.get(placeOf(request.to))?.info?.(request, node);
    if (!said) return refuse('service-unavailable');
    if (said instanceof StanzaError || said instanceof Element) return said;
    const features = new Set([NS.discoInfo, NS.discoItems, ...said.features]);
    return xml(
      'query',
      { xmlns: NS.discoInfo, node },
      ...said.identities.map(({ category, type, name, lang }) =>
        xml('identity', { category, type, name, 'xml:lang': lang }),
      ),
      ...[...features].sort().map(feature => xml('feature', { var: feature })),
      ...(said.forms ?? []),
    );
  }

  private async items(request: IqRequest): Promise<Answer> {
    const disco = this.disco.get(placeOf(request.to))!;
    const node = nodeOf(request);
    const known = node === undefined ? undefined : await this.parts.node?.('items', request, node);
    if (known) return known;
    if (!disco.items && node !== undefined) return refuse('item-not-found');
    const said = (await disco.items?.(request, node)) ?? [];
    return said instanceof StanzaError ? said : xml('query', { xmlns: NS.discoItems, node }, ...said);
  }
}

export function placeOf(to: Jid): Place {
  if (to.local === '') return 'service';
  return to.resource === '' ? 'bare' : 'full';
}

function keyOf(type: string, place: Place, name: string, xmlns: string): string {
  return `${type} ${place} ${name} ${xmlns}`;
}

function nodeOf({ payload }: IqRequest): string | undefined {
  const { node } = payload.attrs as { node?: string };
  return node === '' ? undefined : node;
}
