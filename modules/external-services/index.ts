/*
 * External services (XEP-0215): STUN and TURN servers for calls, and others. Credentials of a TURN server are made from a secret that it
 * shares with this server, and hold for a limited time (draft-uberti-behave-turn-rest).
 */
import { defineModule, type IqRequest, type SessionView } from '../../src/api/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { type Element, serialize, wireAttribute, xml } from '../../src/xml/index.ts';
import { isRestricted, keyOf, options, portOf, type Service, serviceElement } from './offered.ts';

const EXTDISCO = 'urn:xmpp:extdisco:2';
/** Milliseconds between two looks whether the configuration is another one. */
const LOOK = 1000;
/** Types that one session is told of: those it asked for last. */
const MOST_TYPES = 10;

export default defineModule({
  name: 'external-services',
  doc: 'Tells clients which STUN and TURN servers to use, with credentials.',
  xeps: [{ number: 215, version: '1.0.0' }],
  features: { host: [EXTDISCO] },
  options,
  setup(mod) {
    /** XEP-0215 2: services are for the accounts of this server. */
    const mayUse = ({ from }: IqRequest): boolean => from.local !== '' && mod.node.hosts.has(from.domain);
    /** Types of services that clients have asked for, in the words of their requests: they are told what changes. '*' are all. */
    const asked = mod.perSession<readonly string[]>(() => []);
    let pushes = 0;

    // 3.1, 3.2
    mod.iq({ xmlns: EXTDISCO, name: 'services', type: 'get', to: 'both' }, request => {
      if (!mayUse(request)) return refuse('forbidden');
      const { from, to, session } = request;
      const { type } = request.payload.attrs as { type?: string };
      const { services, lifetime } = mod.options(to.domain);
      if (session && from.domain === to.domain) {
        const before = asked.get(session);
        if (!before.includes(type ?? '*')) asked.set(session, [...before, type ?? '*'].slice(-MOST_TYPES));
      }
      const wanted = services.filter(one => type === undefined || one.type === type);
      return xml(
        'services',
        { xmlns: EXTDISCO, type },
        ...wanted.map(one => serviceElement(one, from.local, lifetime)),
      );
    });

    // 3.3
    mod.iq({ xmlns: EXTDISCO, name: 'credentials', type: 'get', to: 'both' }, request => {
      if (!mayUse(request)) return refuse('forbidden');
      const named = request.payload.getChild('service', EXTDISCO)?.attrs as Record<string, string> | undefined;
      if (!named?.host || !named.type)
        return refuse('bad-request', 'Credentials are for one service: its host and type.');
      const { services, lifetime } = mod.options(request.to.domain);
      const found = services.filter(
        one =>
          one.host === named.host &&
          one.type === named.type &&
          (named.port === undefined || String(portOf(one)) === named.port),
      );
      if (found.length === 0) return refuse('item-not-found', 'There is no such service.');
      const restricted = found.filter(isRestricted);
      if (restricted.length === 0) return refuse('item-not-found', 'This service needs no credentials.');
      const { local } = request.from;
      return xml('credentials', { xmlns: EXTDISCO }, ...restricted.map(one => serviceElement(one, local, lifetime)));
    });

    // 3.2: who has asked is told what has changed; a session of this server is known to be there
    const known = new Map<string, readonly Service[]>();
    const look = (): void => {
      for (const host of mod.node.hosts) {
        const { services, lifetime } = mod.options(host);
        const before = known.get(host);
        known.set(host, services);
        if (before === undefined || before === services) continue;
        const changes = changesOf(before, services);
        if (changes.length === 0 || !mod.enabled(host)) continue;
        for (const user of mod.node.users()) {
          if (user.jid.domain !== host) continue;
          for (const session of user.sessions) push(session, changes, lifetime);
        }
      }
    };
    look();
    mod.every(LOOK, look);

    function push(session: SessionView, changes: readonly Change[], lifetime: number): void {
      for (const type of asked.get(session)) {
        const own = changes.filter(({ service }) => type === '*' || service.type === type);
        if (own.length === 0) continue;
        const payload = xml(
          'services',
          { xmlns: EXTDISCO, type: type === '*' ? undefined : type },
          ...own.map(change => changed(change, session.user.jid.local, lifetime)),
        );
        const addresses = wireAttribute('from', session.jid.domain) + wireAttribute('to', session.jid.full);
        session.sendWire(
          `<iq type='set' id='services-${++pushes}'${addresses}>${serialize(payload, 'jabber:client')}</iq>`,
        );
      }
    }
  },
});

interface Change {
  readonly action: 'add' | 'delete' | 'modify';
  readonly service: Service;
}

function changesOf(before: readonly Service[], after: readonly Service[]): Change[] {
  const [old, now] = [byKey(before), byKey(after)];
  const changes: Change[] = [];
  for (const [key, service] of now) {
    const known = old.get(key);
    if (!known) changes.push({ action: 'add', service });
    else if (JSON.stringify(known) !== JSON.stringify(service)) changes.push({ action: 'modify', service });
  }
  for (const [key, service] of old) if (!now.has(key)) changes.push({ action: 'delete', service });
  return changes;
}

function byKey(services: readonly Service[]): Map<string, Service> {
  return new Map(services.map(service => [keyOf(service), service]));
}

function changed({ action, service }: Change, account: string, lifetime: number): Element {
  if (action !== 'delete') {
    const element = serviceElement(service, account, lifetime);
    element.attrs.action = action;
    return element;
  }
  const { type, host, transport } = service;
  return xml('service', { action, type, host, port: portOf(service), transport });
}
