/*
 * Rooms (XEP-0045), on a domain of their own below each host. The domain and its requests are here; a room is an actor (room.ts), found and
 * woken by rooms.ts; what it does is in a file for each use case: entering.ts, leaving.ts, messages.ts, private.ts, admin.ts and so on.
 */
import {
  andThen,
  defineModule,
  defineOptions,
  MESSAGE,
  type MaybePromise,
  option,
  type Packet,
  type Place,
  ServiceDomain,
} from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { NS, refuse } from '../../src/protocol/index.ts';
import { Archive, RoomDomains } from '../archive/contract.ts';
import { Blocking } from '../blocking/contract.ts';
import { StanzaIds } from '../stanza-id/contract.ts';
import { forgetAccount } from './accounts.ts';
import { adminIqs } from './admin.ts';
import { archiveFeatures, archiveIqs } from './archive.ts';
import { avatarIqs } from './avatar.ts';
import { Commands } from './commands.ts';
import { Rooms as RoomsKey } from './contract.ts';
import { isThere, roomDisco, SERVICE_FEATURES } from './disco.ts';
import { presenceCame } from './entering.ts';
import { hatCommands } from './hat-commands.ts';
import type { RoomIq, RoomMessage } from './hooks.ts';
import { invitationCame, invitedDirectly, sendInvitation } from './invitations.ts';
import { PassedIqs } from './iqs.ts';
import { MODERATE, moderateIq } from './moderating.ts';
import { listRooms } from './listing.ts';
import { messageCame } from './messages.ts';
import { HATS } from './namespaces.ts';
import { occupantId } from './occupant-ids.ts';
import { ownerIqs } from './owner.ts';
import { privateMessageCame } from './private.ts';
import { Policies } from './policies.ts';
import { ForeignDisco, Provided } from './provided.ts';
import { decisionCame, expireApplications, registrationFeatures, registrationIqs } from './registration.ts';
import { NO_ROOM, type Room } from './room.ts';
import { Rooms } from './rooms.ts';
import { newConfig, refusedMaking, ruleOptions, ruleProblem } from './rules.ts';
import { Search, SEARCH } from './search.ts';
import { roomSecret } from './secret.ts';
import { slowMode } from './slow-mode.ts';
import { roomStore } from './store.ts';
import { Visits } from './visits.ts';
import { voiceCame } from './voice.ts';

/** How often rooms are looked at that could sleep, in ms. */
const ROUND = 10_000;
/** How often applications are looked at that nobody decides, in ms. */
const HOUR = 3_600_000;

export default defineModule({
  name: 'rooms',
  doc: 'Rooms where many talk with each other.',
  xeps: [
    { number: 45, version: '1.35.5' },
    {
      number: 249,
      version: '1.2',
      note: 'Who is invited to a members-only room becomes a member, if the inviter may do so.',
    },
    { number: 317, version: '0.3.1', note: 'Admins and owners make and give hats.' },
    { number: 410, version: '1.1.0' },
    { number: 421, version: '1.0.1' },
    { number: 425, version: '0.3.0' },
    { number: 433, version: '0.1.0' },
    { number: 486, version: '0.1.0' },
    { number: 500, version: '0.1.1' },
  ],
  after: ['archive', 'blocking', 'stanza-id'],
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
    occupantsShown: option.boolean({
      default: false,
      doc: 'Whether those outside are told who is in a room that is listed and open.',
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
    policies.guard(slowMode());
    const disco = new ForeignDisco();
    const commands: Commands = new Commands(
      jid => rooms.at(jid),
      domain => service.hostOf(domain),
    );
    commands.offerInRooms(hatCommands);
    disco.add(commands.disco);
    const iqs: readonly RoomIq[] = [
      commands.iq,
      ...adminIqs,
      ...ownerIqs,
      ...registrationIqs,
      ...avatarIqs,
      ...archiveIqs,
      moderateIq,
    ];
    const messages: readonly RoomMessage[] = [invitationCame, voiceCame, decisionCame];

    const service: ServiceDomain = new ServiceDomain(mod, {
      identity: { category: 'conference', type: 'text', name: 'Rooms' },
      domain: host => mod.options(host).domain,
      features: host => [...SERVICE_FEATURES, SEARCH, NS.rsm, NS.vcard, ...disco.features(host)],
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
        blocking: () => mod.maybe(Blocking),
        archive: () => mod.maybe(Archive)?.rooms,
        limits: host => mod.options(host),
        defaults: host => newConfig(mod.options(host)),
        mayCreate: (creator, room, host) =>
          refusedMaking({ creator, room, host }, mod.options(host), node, store.lists),
        occupantId: (room, account) => occupantId(secret.value, room.jid, room.state!.id, account),
        answer: ({ packet }, answer) => service.answer(packet, answer),
        inviteMember: (room, member, by) => sendInvitation(room, member, { by }),
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
        const said = room.do(() => (isThere(room, request.from) ? answer(room, request) : NO_ROOM));
        return andThen(said, it => (typeof it === 'function' ? it() : it));
      });
    }
    service.iq({ xmlns: NS.commands, name: 'command', type: 'set', to: 'service' }, request =>
      commands.execute(request),
    );
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
        room => [
          NS.vcard,
          MODERATE,
          HATS,
          ...archiveFeatures(room),
          ...registrationFeatures(room),
          ...disco.features(room.host, room),
        ],
      ),
    );
    service.open();
    mod.provide(RoomDomains, { hostOf: domain => service.hostOf(domain) });
    mod.provide(RoomsKey, new Provided({ rooms, service, disco, commands }));

    // XEP-0249
    mod.on('received', 'tap', { kind: 'message' }, packet => {
      const kid = packet.stanza.child('x', NS.conference);
      if (kid === undefined || packet.type === 'error' || !packet.to || packet.to.local === '') return;
      const jid = parseJid(packet.stanza.kidElement(kid).attrs.jid ?? '');
      if (!jid || service.hostOf(jid.domain) === undefined || service.hostOf(packet.to.domain) !== undefined) return;
      const [room, invited] = [rooms.at(jid), packet.to.toBare()];
      return room.do(() => invitedDirectly(room, packet.from, invited));
    });
    mod.when('accountRemoved', account => forgetAccount(store, jid => rooms.at(jid), account));
    mod.when('ended', session => rooms.ended(session));
    // before the database is closed
    mod.cleanup(() => rooms.settled());
    mod.when('restored', session => rooms.restored(session));
    for (const host of node.hosts) {
      const problem = mod.enabled(host) ? ruleProblem(mod.options(host)) : undefined;
      if (problem !== undefined) mod.log.error({ host }, problem);
    }
    for (const user of node.users()) {
      for (const session of user.sessions) {
        const failed = (err: unknown): void =>
          mod.log.error({ err, session: session.id }, 'it is in its rooms no more');
        rooms.restored(session).catch(failed);
      }
    }

    let swept = false;
    mod.every(ROUND, async () => {
      rooms.sleep(mod.options().sleep * 1000);
      if (swept) return;
      swept = true;
      await rooms.sweep();
    });
    mod.every(HOUR, () => {
      const patience = (host: string): number => mod.options(host).applications * 1000;
      const shortest = Math.min(...[...node.hosts].map(patience));
      return rooms.awaited(Date.now() - shortest, room => expireApplications(room, Date.now() - patience(room.host)));
    });
    mod.add('gauges', { name: 'posthouse_rooms_awake', help: 'Rooms in memory.', read: () => rooms.size });
    mod.add('gauges', {
      name: 'posthouse_room_occupants',
      help: 'Clients in rooms.',
      read: () => [...rooms.all()].reduce((sum, room) => sum + room.occupants.sessionCount, 0),
    });
  },
});
