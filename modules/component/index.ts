/*
 * External components (XEP-0114): programs that connect over TCP and speak for a domain of their own below this server. Listener
 * and stream are in stream.ts; a component's stanzas go through the router like everybody's.
 */
import { defineModule, defineOptions, option, type Packet } from '../../src/api/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { ComponentStream } from './stream.ts';

export default defineModule({
  name: 'component',
  doc: 'Lets programs outside connect as components, each with a domain of its own.',
  xeps: [{ number: 114, version: '1.6' }],
  options: defineOptions({
    components: option.map(
      option.object({ secret: option.secret({ doc: 'What the component proves to know.', reload: 'live' }) }),
      {
        default: {},
        doc: 'The components by domain, each with its secret.',
        reload: 'live',
      },
    ),
    conflict: option.choice(['refuse', 'replace'], {
      default: 'refuse',
      doc: 'What a second connection for the same domain does.',
      reload: 'live',
    }),
    name: option.string({ default: '', doc: 'How disco lists them; their domain when empty.', reload: 'live' }),
  }),
  setup(mod) {
    const connected = new Map<string, ComponentStream>();
    const undo = new Map<string, () => void>();

    const join = (stream: ComponentStream, domain: string): boolean => {
      const other = connected.get(domain);
      if (other) {
        if (mod.options().conflict === 'refuse') return false;
        other.fail({ condition: 'conflict', text: 'Another connection took this domain.' });
      }
      connected.set(domain, stream);
      const receive = (packet: Packet): void => {
        // its own domain only while it is there
        if (!stream.send(packet)) mod.node.bounce(packet, refuse('remote-server-timeout'));
      };
      const gone = mod.collections.domains.add(mod.name, { domain, receive });
      const unlisted = mod.collections.discoItems.add(mod.name, {
        jid: () => domain,
        name: mod.options().name || undefined,
      });
      undo.set(domain, () => {
        gone();
        unlisted();
      });
      mod.log.info({ domain, address: stream.connection.address }, 'component connected');
      return true;
    };
    const leave = (stream: ComponentStream, domain: string): void => {
      if (connected.get(domain) !== stream) return;
      connected.delete(domain);
      undo.get(domain)?.();
      undo.delete(domain);
      mod.log.info({ domain }, 'component gone');
    };

    mod.add('listeners', {
      type: 'component',
      accept: connection =>
        new ComponentStream(connection, {
          secret: domain => (mod.node.hosts.has(domain) ? undefined : mod.options().components[domain]?.secret),
          join,
          leave,
          route: packet => mod.node.route(packet),
          log: mod.log,
        }),
    });
    mod.add('gauges', { name: 'posthouse_components', help: 'Components connected.', read: () => connected.size });
    mod.cleanup(() => {
      for (const stream of connected.values()) stream.fail({ condition: 'system-shutdown' });
      for (const [domain, stream] of [...connected]) leave(stream, domain);
    });
  },
});
