/*
 * Rooms (XEP-0045), on a domain of their own below each host. The domain and its requests are here; a room is an actor (room.ts), found and
 * woken by rooms.ts; what it does is in a file for each use case: entering.ts, leaving.ts, messages.ts, private.ts, admin.ts and so on.
 */
import {
  defineModule,
  defineOptions,
  MESSAGE,
  type MaybePromise,
  option,
  type Packet,
  type Place,
  ServiceDomain,
} from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS, refuse } from '../../src/protocol/index.ts';
import { Archive } from '../archive/contract.ts';
import { StanzaIds } from '../stanza-id/contract.ts';
import { adminIqs } from './admin.ts';
import { Rooms as RoomsKey } from './contract.ts';
import { isThere, roomDisco, SERVICE_FEATURES } from './disco.ts';
import { presenceCame } from './entering.ts';
import type { RoomIq, RoomMessage } from './hooks.ts';
import { PassedIqs } from './iqs.ts';
import { listRooms } from './listing.ts';
import { messageCame } from './messages.ts';
import { occupantId } from './occupant-ids.ts';
import { ownerIqs } from './owner.ts';
import { privateMessageCame } from './private.ts';
import { Policies } from './policies.ts';
import { ForeignDisco, Provided } from './provided.ts';
import { NO_ROOM, type Room } from './room.ts';
import { Rooms } from './rooms.ts';
import { newConfig, refusedMaking, ruleOptions, ruleProblem } from './rules.ts';
import { Search, SEARCH } from './search.ts';
import { roomSecret } from './secret.ts';
import { roomStore } from './store.ts';
import { Visits } from './visits.ts';

/** How often rooms are looked at that could sleep, in ms. */
const ROUND = 10_000;

export default defineModule({
  name: 'rooms',
  doc: 'Rooms where many talk with each other.',
  xeps: [
    { number: 45, version: '1.35.5' },
    { number: 410, version: '1.1.0' },
    { number: 421, version: '1.0.1' },
  ],
  after: ['archive', 'stanza-id'],
  options: defineOptions({
    domain: option.string({
      default: 'conference.{host}',
      doc: "The domain of a host's rooms; '{host}' stands for the host.",
      reload: 'live',
    }),
    ...ruleOptions,
    nickLength: option.integer({
      default: 64,
      minimum: 1,
      maximum: 1023,
      unit: 'characters',
      doc: 'The longest nickname.',
      reload: 'live',
    }),
    sleep: option.duration({
      default: 3600,
      minimum: 10,
      doc: 'How long a room without occupants stays in memory.',
      reload: 'live',
    }),
  }),
  stores: { rooms: roomStore, secret: roomSecret },

  setup(mod) {
    const { rooms: store, secret } = mod.stores;
    const { node } = mod;
    const visits = new Visits(mod);
    const passed = new PassedIqs(node);
    const policies = new Policies(mod.log);
    const disco = new ForeignDisco();
    const iqs: readonly RoomIq[] = [...adminIqs, ...ownerIqs];
    const messages: readonly RoomMessage[] = [];

    const service: ServiceDomain = new ServiceDomain(mod, {
      identity: { category: 'conference', type: 'text', name: 'Rooms' },
      domain: host => mod.options(host).domain,
      features: host => [...SERVICE_FEATURES, SEARCH, NS.rsm, ...disco.features(host)],
      node: (of, request, name) => disco.node(of, request, name),
      stanza,
      otherIq,
    });
    const rooms = new Rooms(
      {
        node,
        store,
        visits,
        policies,
        stanzaIds: () => mod.maybe(StanzaIds),
        archive: () => mod.maybe(Archive)?.rooms,
        limits: host => mod.options(host),
        defaults: host => newConfig(mod.options(host)),
        mayCreate: (creator, room, host) =>
          refusedMaking({ creator, room, host }, mod.options(host), node, store.lists),
        occupantId: (room, account) => occupantId(secret.value, room.jid, room.state!.id, account),
        answer: ({ packet }, answer) => service.answer(packet, answer),
        inviteMember: () => {},
      },
      domain => service.hostOf(domain),
    );

    function stanza(packet: Packet, place: Place): MaybePromise<void> {
      const to = packet.to!;
      if (place === 'service') {
        if (packet.kind === MESSAGE && packet.type !== 'headline')
          node.bounce(packet, refuse('service-unavailable', 'This is the address of no room.'));
        return undefined;
      }
      const room = rooms.at(to);
      return room.do(() => {
        if (packet.kind !== MESSAGE) return presenceCame(room, packet);
        return place === 'full' ? privateMessageCame(room, packet) : messageCame(room, packet, otherMessage);
      });
    }

    function otherMessage(room: Room, packet: Packet, from = 0): MaybePromise<boolean> {
      for (let index = from; index < messages.length; index++) {
        const taken = messages[index]!(room, packet);
        if (taken instanceof Promise) return taken.then(it => it || otherMessage(room, packet, index + 1));
        if (taken) return true;
      }
      return false;
    }

    /** 6.6, 17.4: what is for somebody in a room. */
    function otherIq(packet: Packet, place: Place): MaybePromise<boolean> {
      if (place !== 'full') return false;
      const room = rooms.at(packet.to!);
      return room.do(() => {
        if (packet.type === 'get' || packet.type === 'set') {
          const answer = passed.ask(room, packet);
          if (answer !== undefined) service.answer(packet, answer);
        } else passed.answered(packet);
        return true;
      });
    }

    for (const { xmlns, name, type, answer } of iqs) {
      service.iq({ xmlns, name, type, to: 'bare' }, request => {
        const room = rooms.at(request.to);
        return room.do(() => (isThere(room, request.from) ? answer(room, request) : NO_ROOM));
      });
    }
    // 6.3
    service.describe('service', {
      items: (request, node) =>
        node === undefined ? listRooms(store.lists, request.to.domain, request.payload) : refuse('item-not-found'),
    });
    const search = new Search({
      lists: store.lists,
      occupied: domain => rooms.occupied(domain),
      occupants: jid => rooms.occupants(jid),
    });
    service.iq({ xmlns: SEARCH, name: 'search', to: 'service' }, request => search.answer(request));
    service.describe(
      'bare',
      roomDisco(
        jid => rooms.at(jid),
        room => disco.features(room.host, room),
      ),
    );
    service.open();
    mod.provide(RoomsKey, new Provided({ rooms, service, disco }));

    mod.when('ended', session => rooms.ended(session, visits.of(session)));
    mod.when('restored', session => rooms.restored(session, visits.of(session)));
    for (const host of node.hosts) {
      const problem = mod.enabled(host) ? ruleProblem(mod.options(host)) : undefined;
      if (problem !== undefined) mod.log.error({ host }, problem);
    }
    for (const user of node.users()) for (const session of user.sessions) rooms.restored(session, visits.of(session));

    let swept = false;
    mod.every(ROUND, async () => {
      rooms.sleep(mod.options().sleep * 1000);
      if (swept) return;
      swept = true;
      const addresses = await store.lists.temporary();
      await rooms.sweep(addresses.map(text => parseJid(text)).filter((jid): jid is Jid => jid !== undefined));
    });
    mod.add('gauges', { name: 'posthouse_rooms_awake', help: 'Rooms in memory.', read: () => rooms.size });
    mod.add('gauges', {
      name: 'posthouse_room_occupants',
      help: 'Clients in rooms.',
      read: () => [...rooms.all()].reduce((sum, room) => sum + room.occupants.sessionCount, 0),
    });
  },
});
