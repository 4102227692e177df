/*
 * Publish-Subscribe (XEP-0060) at a domain of its own, and on every account (XEP-0163), by one engine: nodes.ts keeps the nodes, access.ts
 * says who may do what, requests.ts what is answered by whom; telling.ts sends what happened to those who want to know it, whom
 * capabilities.ts knows.
 */
import {
  defineModule,
  DONE,
  type IqRequest,
  MESSAGE,
  type OptionsOf,
  type Packet,
  PRESENCE,
  ServiceDomain,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { formTypeOf, NS, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { Blocking } from '../blocking/contract.ts';
import { Roster } from '../roster/contract.ts';
import { Access } from './access.ts';
import { Bounces } from './bounces.ts';
import { Capabilities } from './capabilities.ts';
import { capabilitiesStore } from './capabilities-store.ts';
import { ConfigForm, PERSONAL_DEFAULTS, SERVICE_DEFAULTS } from './config.ts';
import { Pubsub } from './contract.ts';
import {
  accountNodes,
  HOST_FEATURES,
  nodeInfo,
  nodeItems,
  PERSONAL_FEATURES,
  PERSONAL_IDENTITY,
  SERVICE_FEATURES,
  SERVICE_IDENTITY,
  serviceNodes,
} from './discovery.ts';
import type { Engine, Service } from './engine.ts';
import { Greeting } from './greeting.ts';
import { Inside } from './inside.ts';
import { OWNER, PUBSUB, SUBSCRIBE_AUTHORIZATION } from './names.ts';
import { Nodes } from './nodes.ts';
import { options } from './options.ts';
import { GET_PENDING, getPending } from './pending.ts';
import { portableItems, portableNodes } from './portable.ts';
import { removeAccount } from './removal.ts';
import { answer, answerOfNobody } from './requests.ts';
import { Sharing, Shown } from './sharing.ts';
import { pubsubStore } from './store.ts';
import { authorize } from './subscribing.ts';
import { sweep } from './sweeping.ts';
import { Telling } from './telling.ts';

/** Milliseconds between two sweeps. */
const SWEEP = 600_000;

export default defineModule({
  name: 'pubsub',
  doc: 'Publish-Subscribe at a domain of its own, and the personal nodes of accounts (PEP).',
  xeps: [
    {
      number: 60,
      version: '1.31.0',
      note: 'Without collections, several subscriptions of one address, leases and digests; see docs/pubsub.md.',
    },
    { number: 163, version: '1.2.2' },
    { number: 222, version: '1.0.1' },
    { number: 223, version: '1.1.1' },
    { number: 115, version: '1.6.0', note: 'of clients' },
  ],
  needs: ['disco'],
  after: ['roster', 'blocking', 'presence'],
  features: { host: HOST_FEATURES, account: PERSONAL_FEATURES },
  options,
  stores: { pubsub: pubsubStore, capabilities: capabilitiesStore },

  setup(mod) {
    const { node } = mod;
    const { pubsub: store } = mod.stores;
    const roster = () => mod.maybe(Roster);
    const nodes = new Nodes(store, mod.options().remembered);
    const served = new ServiceDomain(mod, {
      identity: SERVICE_IDENTITY,
      domain: host => mod.options(host).domain,
      features: () => SERVICE_FEATURES,
      stanza: packet => {
        if (packet.type === 'error') return cameBack(packet);
        if (packet.kind === PRESENCE) return presenceCame(packet);
        const x = packet.kind === MESSAGE ? packet.child('x', NS.dataForms) : undefined;
        if (x === undefined) return undefined;
        return decided(serviceAt(packet.to!), packet.from, packet.stanza.kidElement(x));
      },
    });
    const bounces = new Bounces();
    const access = new Access(node, roster, domain => served.hostOf(domain));
    const capabilities: Capabilities = new Capabilities(mod, mod.stores.capabilities, (session, names) => {
      if (!mod.enabled(session.jid.domain)) return;
      const since = engine.moment();
      telling.later(async () => {
        await greeting.greet(session, names, since);
      });
    });
    const sharing = new Sharing(mod);
    const shown = new Shown();
    const telling = new Telling({
      node,
      log: mod.log,
      access,
      capabilities,
      bounces,
      sharing,
      shown,
      roster,
      blocking: () => mod.maybe(Blocking),
    });
    let moments = 0;
    const engine: Engine = {
      store,
      nodes,
      access,
      telling,
      moment: () => ++moments,
      mayCreate: ({ jid, personal }, who) => {
        if (personal) return who.bare === jid.bare;
        const host = served.hostOf(jid.domain)!;
        if (node.isAdmin(who.toBare(), host)) return true;
        const { create } = mod.options(host);
        if (create !== 'accounts') return create === 'everyone';
        return node.hosts.has(who.domain) && node.session(who)?.anonymous !== true;
      },
      happened: event => inside.tell(event),
      followed: account => inside.followed(account),
    };
    const greeting = new Greeting(engine, node, roster, host => mod.enabled(host), sharing);
    const inside = new Inside(engine, serviceAt, mod.log);

    /** What operators allow at each host, as long as its options are these. */
    const rules = new WeakMap<object, { form: ConfigForm; limits: Service['limits'] }>();
    function serviceAt(jid: Jid): Service {
      const personal = jid.local !== '';
      const chosen: OptionsOf<typeof options> = mod.options(personal ? jid.domain : served.hostOf(jid.domain));
      let rule = rules.get(chosen);
      if (!rule) rules.set(chosen, (rule = { form: new ConfigForm(chosen), limits: chosen }));
      const defaults = personal ? PERSONAL_DEFAULTS : SERVICE_DEFAULTS;
      return { jid: jid.toBare(), personal, defaults, ...rule };
    }

    async function decided(service: Service, from: Jid, x: Element): Promise<void> {
      if (formTypeOf(x) === SUBSCRIBE_AUTHORIZATION) await authorize(engine, service, from, x);
    }

    /** Of one service, or of all. Which of the subscriber's resources that is matters to subscriptions of that one alone. */
    function subscriberCame(jid: Jid, service?: Jid): void {
      const since = engine.moment();
      telling.later(() =>
        greeting.greetSubscriber(jid, since, at => {
          if (served.hostOf(at.domain) === undefined) return false;
          // who has shown himself to it before has had it
          return service ? service.bare === at.bare : !shown.of(at, jid)?.has(jid.full);
        }),
      );
    }

    function presenceCame(packet: Packet): undefined {
      const { from } = packet;
      const service = packet.to!.toBare();
      // who has shown himself to all has had it
      if (shown.came(service, packet) && !node.session(from)?.presence) subscriberCame(from, service);
    }

    // its sender has nothing to wait for
    function cameBack(packet: Packet): undefined {
      if (packet.kind !== MESSAGE || !bounces.knows(packet)) return;
      const host = packet.to!.local === '' ? served.hostOf(packet.to!.domain) : packet.to!.domain;
      telling.later(() => bounces.came(engine, packet, mod.options(host).bounces));
    }

    // ---- requests -------------------------------------------------------------------------------------------------------------

    const answered = (request: IqRequest) => answer(engine, serviceAt(request.to), request);
    const absent = { bare: answerOfNobody };
    for (const xmlns of [PUBSUB, OWNER]) {
      served.iq({ xmlns, name: 'pubsub', to: 'service' }, answered);
      mod.iq({ xmlns, name: 'pubsub', to: 'account', from: 'anyone', absent }, answered);
    }
    served.iq({ xmlns: NS.commands, name: 'command', type: 'set', to: 'service' }, request =>
      getPending(engine, serviceAt(request.to), request),
    );
    served.describe('service', {
      info: ({ to, from }, name) => {
        if (name !== undefined) return nodeInfo(engine, serviceAt(to), name, from);
        return { identities: [SERVICE_IDENTITY], features: SERVICE_FEATURES };
      },
      items: ({ to, from, payload }, name) => {
        if (name === NS.commands)
          return [xml('item', { jid: to.bare, node: GET_PENDING, name: 'Who waits to be let in' })];
        return name === undefined
          ? serviceNodes(engine, serviceAt(to), payload)
          : nodeItems(engine, serviceAt(to), name, from, payload);
      },
    });
    mod.add('disco', { of: 'account', identity: PERSONAL_IDENTITY });
    mod.add('discoAccountItems', { items: ({ to, from }) => accountNodes(engine, to.toBare(), from) });
    mod.add('discoNodes', {
      of: 'account',
      node: '*',
      info: async ({ node: name, from, to }) => {
        const said = await nodeInfo(engine, serviceAt(to), name, from);
        if (said instanceof StanzaError) return undefined;
        return xml(
          'query',
          { xmlns: NS.discoInfo, node: name },
          ...said.identities.map(({ category, type, name: title }) => xml('identity', { category, type, name: title })),
          ...said.features.map(feature => xml('feature', { var: feature })),
          ...(said.forms ?? []),
        );
      },
      items: async ({ node: name, from, to }) => {
        const listed = await nodeItems(engine, serviceAt(to), name, from, xml('query', { xmlns: NS.discoItems }));
        return listed instanceof StanzaError
          ? undefined
          : xml('query', { xmlns: NS.discoItems, node: name }, ...listed);
      },
    });

    // an owner's answer to a question of its own account (8.6)
    mod.on('received', 'work', { kind: 'message', to: 'bare' }, packet => {
      if (packet.to!.bare !== packet.from.bare || packet.type === 'error') return undefined;
      const kid = packet.child('x', NS.dataForms);
      const x = kid === undefined ? undefined : packet.stanza.kidElement(kid);
      if (!x || x.attrs.type === 'form' || formTypeOf(x) !== SUBSCRIBE_AUTHORIZATION) return undefined;
      return decided(serviceAt(packet.to!), packet.from, x).then(() => DONE);
    });

    mod.on('arriving', 'work', { kind: 'message', to: 'bare' }, packet => {
      if (packet.type !== 'error' || !bounces.knows(packet)) return undefined;
      cameBack(packet);
      return DONE;
    });

    // ---- who wants to be told -------------------------------------------------------------------------------------------------

    const there = mod.perSession<boolean>(() => false);
    mod.on('presence', 'tap', { kind: 'presence' }, (packet, session) => {
      capabilities.shown(packet, session);
      const before = there.get(session);
      const now = packet.type !== 'unavailable';
      if (now !== before) there.set(session, now);
      if (now && !before && !session.anonymous) subscriberCame(session.jid);
      if (!now) sharing.end(session);
    });
    mod.on('received', 'tap', { kind: 'presence', to: ['bare', 'full'] }, (packet, session) => {
      const to = packet.to!;
      if (packet.type === 'unavailable') sharing.end(session, to);
      if (packet.type !== '' || to.bare === session.jid.bare || !node.hosts.has(to.domain)) return;
      // what it wants is known of what it has shown to all, where it has
      if (!session.presence) capabilities.shown(packet, session);
      if (!sharing.begin(session, to)) return;
      const [names, since] = [capabilities.wanted(session), engine.moment()];
      telling.later(async () => {
        await greeting.greetAsSharer(session, to.toBare(), names, since);
      });
    });
    mod.when('restored', session => {
      sharing.know(session);
      there.set(session, session.presence !== undefined);
    });
    mod.when('ended', session => sharing.end(session));
    mod.on('received', 'work', { kind: 'iq', to: 'host' }, (packet, session) =>
      capabilities.answered(packet, session) ? DONE : undefined,
    );
    mod.when('ended', session => capabilities.ended(session));
    mod.cleanup(() => capabilities.close());
    const changes = roster()?.onChange((account, change) => {
      const since = engine.moment();
      telling.later(() => greeting.changed(account, change, capabilities, since));
    });
    if (changes) mod.cleanup(changes);

    mod.add('portable', portableNodes({ engine, serviceAt }));
    mod.add('portable', portableItems({ engine, serviceAt }));
    mod.when('accountRemoved', account => removeAccount(engine, account));
    mod.every(SWEEP, () => sweep(store, mod.stores.capabilities, mod.options()));
    mod.provide(Pubsub, inside);
    served.open();
  },
});
