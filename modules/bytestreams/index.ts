/*
 * A SOCKS5 bytestreams proxy (XEP-0065): two clients that cannot reach each other send a file through it. Both connect and name the
 * same hash (socks5.ts), the requester has it activated (transfers.ts), and from then on bytes go from each to the other.
 */
import { type Answer, defineModule, defineOptions, Empty, option, Packet } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { Socks5Connection } from './socks5.ts';
import { Transfers } from './transfers.ts';

const BYTESTREAMS = 'http://jabber.org/protocol/bytestreams';
const SWEEP = 5_000; // ms

export default defineModule({
  name: 'bytestreams',
  doc: 'A SOCKS5 proxy for file transfers between clients that cannot reach each other; it needs a listener of type `socks5`.',
  xeps: [{ number: 65, version: '1.8.2', note: 'the proxy, over TCP' }],
  options: defineOptions({
    subdomain: option.string({
      default: 'proxy',
      pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
      doc: 'The proxy of a host is SUBDOMAIN.HOST.',
      reload: 'live',
    }),
    address: option.string({
      default: '',
      doc: 'The name or address that clients connect to; the host itself when empty.',
      reload: 'live',
    }),
    port: option.integer({
      default: 7777,
      minimum: 1,
      maximum: 65_535,
      doc: 'The port that clients connect to: that of the listener of type `socks5`.',
      reload: 'live',
    }),
    wait: option.duration({
      default: 60,
      minimum: 1,
      doc: 'How long a connection may stand there before its transfer is activated.',
      reload: 'live',
    }),
    idle: option.duration({
      default: 300,
      minimum: 1,
      doc: 'How long a transfer may move nothing before it is cut.',
      reload: 'live',
    }),
  }),
  setup(mod) {
    const relayed = mod.count('bytes', 'Bytes relayed between clients.');
    const transfers = new Transfers(bytes => relayed.inc(bytes));

    /** The host whose proxy that domain is. */
    const hostOf = (domain: string): string | undefined => {
      const dot = domain.indexOf('.');
      const host = domain.slice(dot + 1);
      if (dot < 0 || mod.node.hosts.has(domain) || !mod.node.hosts.has(host) || !mod.enabled(host)) return undefined;
      return mod.options(host).subdomain === domain.slice(0, dot) ? host : undefined;
    };

    const answer = (packet: Packet, host: string): Answer => {
      const [kid] = packet.stanza.children();
      if (kid === undefined || !packet.to!.isDomain) return refuse('service-unavailable');
      const name = packet.stanza.kidName(kid);
      const xmlns = packet.stanza.kidXmlns(kid);
      const payload = packet.element().getChild(name, xmlns);
      if (name !== 'query' || payload === undefined) return refuse('service-unavailable');
      const get = packet.type === 'get';
      if (get && (xmlns === NS.discoInfo || xmlns === NS.discoItems)) return discovered(xmlns, payload.attrs.node);
      if (xmlns !== BYTESTREAMS) return refuse('service-unavailable');
      // XEP-0065 4: whom it does not serve
      if (!mod.node.hosts.has(packet.from.domain)) return refuse('forbidden');
      if (!get) return activate(payload, packet.from.full);
      const { address, port } = mod.options(host);
      const streamhost = xml('streamhost', { jid: packet.to!.domain, host: address || host, port: String(port) });
      return xml('query', { xmlns: BYTESTREAMS }, streamhost);
    };

    /** XEP-0065 6.3.5 */
    const activate = (query: Element, requester: string): Answer => {
      const { sid } = query.attrs;
      const target = parseJid(query.getChildText('activate') ?? '');
      if (!sid || !target) return refuse('bad-request');
      switch (transfers.activate(sid, requester, target.full)) {
        case 'activated':
          return Empty;
        case 'alone':
          return refuse('not-allowed', 'Only one of the two is connected.');
        default:
          return refuse('item-not-found', 'Nobody is connected for that stream between these two.');
      }
    };

    mod.add('domains', {
      serves: domain => hostOf(domain) !== undefined,
      receive: packet => {
        const host = hostOf(packet.to!.domain);
        const asked = packet.type === 'get' || packet.type === 'set';
        const said = host !== undefined && asked ? answer(packet, host) : refuse('service-unavailable');
        if (said instanceof StanzaError) {
          mod.node.bounce(packet, said);
          return undefined;
        }
        const result = packet.resultWire(said);
        return mod.node.route(Packet.fromWire(result, packet.to!, packet.from));
      },
    });
    mod.add('discoItems', { jid: host => `${mod.options(host).subdomain}.${host}`, name: 'Proxy for file transfers' });
    mod.add('listeners', {
      type: 'socks5',
      accept: connection => new Socks5Connection(connection, transfers),
    });
    mod.add('gauges', {
      name: 'posthouse_bytestreams_transfers',
      help: 'Transfers between clients under way.',
      read: () => transfers.active,
    });
    mod.every(SWEEP, () => {
      const { wait, idle } = mod.options();
      transfers.sweep(wait * 1000, idle * 1000);
    });
    mod.cleanup(() => transfers.close());
  },
});

/** XEP-0065 4, XEP-0030 */
function discovered(xmlns: string, node: string | undefined): Answer {
  if (node !== undefined && node !== '') return refuse('item-not-found');
  if (xmlns === NS.discoItems) return xml('query', { xmlns });
  return xml(
    'query',
    { xmlns },
    xml('identity', { category: 'proxy', type: 'bytestreams', name: 'Proxy for file transfers' }),
    ...[NS.discoInfo, NS.discoItems, BYTESTREAMS].map(feature => xml('feature', { var: feature })),
  );
}
