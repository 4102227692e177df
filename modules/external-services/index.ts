/*
 * External services (XEP-0215): STUN and TURN servers for calls. Credentials of a TURN server are made from a secret that it
 * shares with this server, and hold for a limited time (draft-uberti-behave-turn-rest).
 */
import { createHmac } from 'node:crypto';
import { defineModule, defineOptions, type IqRequest, option } from '../../src/api/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';

const EXTDISCO = 'urn:xmpp:extdisco:2';

const service = option.object({
  type: option.choice(['stun', 'stuns', 'turn', 'turns', 'ftp', 'http'], {
    doc: 'Kind of service.',
    reload: 'live',
    default: 'turn',
  }),
  host: option.string({ required: true, doc: 'Name or address of the server.', reload: 'live', pattern: '^[^\\s/]+$' }),
  port: option.integer({ default: 3478, minimum: 1, maximum: 65_535, doc: 'Its port.', reload: 'live' }),
  transport: option.choice(['udp', 'tcp'], { default: 'udp', doc: 'Transport protocol.', reload: 'live' }),
  secret: option.secret({
    doc: 'The secret shared with the TURN server (static-auth-secret of coturn); none for STUN.',
    reload: 'live',
  }),
  name: option.string({ default: '', doc: 'A name for people.', reload: 'live' }),
});

export default defineModule({
  name: 'external-services',
  doc: 'Tells clients which STUN and TURN servers to use, with credentials.',
  xeps: [{ number: 215, version: '1.0.0' }],
  features: { host: [EXTDISCO] },
  options: defineOptions({
    services: option.list(service, {
      default: [],
      doc: 'The services, in the order in which they are offered.',
      reload: 'live',
    }),
    lifetime: option.duration({
      default: 86_400,
      minimum: 60,
      maximum: 604_800,
      doc: 'How long credentials hold.',
      reload: 'live',
    }),
  }),
  setup(mod) {
    const offered = (request: IqRequest, wanted: (attrs: { type: string; host: string }) => boolean): Element[] => {
      const { services, lifetime } = mod.options(request.to.domain);
      const expires = Math.floor(Date.now() / 1000) + lifetime;
      return services.filter(wanted).map(({ type, host, port, transport, secret, name }) => {
        const credentials = secret ? turnCredentials(secret, `${expires}:${request.from.local}`) : undefined;
        return xml('service', {
          type,
          host,
          port,
          transport,
          name: name || undefined,
          restricted: credentials && 'true',
          ...credentials,
          expires: credentials && `${new Date(expires * 1000).toISOString().slice(0, 19)}Z`,
        });
      });
    };
    /** XEP-0215 2: credentials are for the accounts of this server. */
    const mayUse = ({ from }: IqRequest): boolean => from.local !== '' && mod.node.hosts.has(from.domain);

    mod.iq({ xmlns: EXTDISCO, name: 'services', type: 'get', to: 'both' }, request => {
      if (!mayUse(request)) return refuse('forbidden');
      const { type } = request.payload.attrs;
      return xml(
        'services',
        { xmlns: EXTDISCO, type },
        ...offered(request, s => type === undefined || s.type === type),
      );
    });
    mod.iq({ xmlns: EXTDISCO, name: 'credentials', type: 'get', to: 'both' }, request => {
      if (!mayUse(request)) return refuse('forbidden');
      const asked = request.payload.getChild('service', EXTDISCO)?.attrs;
      if (!asked?.host || !asked.type)
        return refuse('bad-request', 'Credentials are for one service: its host and type.');
      const found = offered(request, s => s.host === asked.host && s.type === asked.type);
      const match = found.filter(
        s => asked.port === undefined || s.attrs.port === asked.port || String(s.attrs.port) === asked.port,
      );
      if (match.length === 0) return refuse('item-not-found', 'There is no such service.');
      return xml('credentials', { xmlns: EXTDISCO }, ...match);
    });
  },
});

/** Name and password for a TURN server that shares the secret: the password is a MAC of the name. */
export function turnCredentials(secret: string, username: string): { username: string; password: string } {
  return { username, password: createHmac('sha1', secret).update(username).digest('base64') };
}
