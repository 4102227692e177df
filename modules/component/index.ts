/*
 * External components (XEP-0114): programs that connect over TCP and speak for a domain of their own beside those of this server.
 * Listener and stream are in stream.ts; a component's stanzas go through the router like everybody's.
 */
import { defineModule, defineOptions, option } from '../../src/api/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { ComponentStream } from './stream.ts';

export default defineModule({
  name: 'component',
  doc: 'Lets programs outside connect as components, each with a domain of its own.',
  xeps: [{ number: 114, version: '1.6' }],
  options: defineOptions({
    components: option.map(
      option.object({
        secret: option.secret({ required: true, doc: 'What the component proves to know.', reload: 'live' }),
        name: option.string({ default: '', doc: 'How disco calls it.', reload: 'live' }),
      }),
      {
        default: {},
        keys: 'a domain',
        doc: 'The components by domain. It must not be a domain of `hosts`.',
        reload: 'live',
      },
    ),
    conflict: option.choice(['refuse', 'replace'], {
      default: 'refuse',
      doc: 'What becomes of a second connection for the same domain: it is refused, or takes the place of the first.',
      reload: 'live',
    }),
  }),
  setup(mod) {
    const connected = new Map<string, { stream: ComponentStream; unlist: () => void }>();
    const configured = (domain: string) => (mod.node.hosts.has(domain) ? undefined : mod.options().components[domain]);

    const join = (stream: ComponentStream, domain: string): boolean => {
      const other = connected.get(domain);
      if (other) {
        if (mod.options().conflict === 'refuse') return false;
        other.stream.fail({ condition: 'conflict', text: 'Another connection took this domain.' });
      }
      const unlist = mod.collections.discoItems.add(mod.name, {
        jid: () => domain,
        name: configured(domain)?.name || undefined,
        visible: (_to, host) => isListedAt(domain, host, mod.node.hosts),
      });
      connected.set(domain, { stream, unlist });
      mod.log.info({ domain, address: stream.connection.address }, 'component connected');
      return true;
    };
    const leave = (stream: ComponentStream, domain: string): void => {
      const known = connected.get(domain);
      if (known?.stream !== stream) return;
      connected.delete(domain);
      known.unlist();
      mod.log.info({ domain }, 'component gone');
    };

    mod.add('domains', {
      serves: domain => connected.has(domain) || configured(domain) !== undefined,
      receive: packet => {
        const { domain } = packet.to!;
        if (connected.get(domain)?.stream.send(packet)) return;
        // RFC 6120 8.3.3.16: it is known, but not there
        mod.node.bounce(packet, refuse('remote-server-timeout', `The component ${domain} is not connected.`));
      },
    });
    mod.add('listeners', {
      type: 'component',
      accept: connection =>
        new ComponentStream(connection, {
          secret: domain => configured(domain)?.secret,
          join,
          leave,
          route: packet => mod.node.route(packet),
          log: mod.log,
        }),
    });
    mod.add('gauges', { name: 'posthouse_components', help: 'Components connected.', read: () => connected.size });
    mod.cleanup(() => {
      for (const [domain, { stream }] of [...connected]) {
        stream.fail({ condition: 'system-shutdown' });
        leave(stream, domain);
      }
    });
  },
});

/** A component is listed by the host that it is below, or by all when it is below none. */
function isListedAt(domain: string, host: string, hosts: ReadonlySet<string>): boolean {
  const below = (parent: string): boolean => domain.endsWith(`.${parent}`);
  return below(host) || ![...hosts].some(below);
}
