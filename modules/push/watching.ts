/* When something came for somebody who is not there: in offline storage, in a session that waits or sleeps, in a group. */
import { attached, type Mod, Packet, type SessionView } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { indexed } from '../../src/xml/index.ts';
import { Offline } from '../offline/contract.ts';
import { PresenceService } from '../presence/contract.ts';
import { Rooms } from '../rooms/contract.ts';
import { type Habits, isInUse } from './attention.ts';
import { keyOf, type PushEvent } from './event.ts';
import { GroupMessages } from './groups.ts';
import { addressingOf, isMentioned } from './mentions.ts';
import { bodyOf, worthOf } from './notable.ts';
import type { Notifier } from './notifier.ts';
import type { Registration } from './registration.ts';
import type { KnownRegistrations } from './registrations.ts';

export interface WatchParts {
  readonly registrations: KnownRegistrations;
  readonly notifier: Notifier;
  options(host: string): Habits & { readonly content: string; readonly groups: boolean };
  failed(error: unknown): void;
  /** Is to be called for the sessions of an account whose registrations are others now. */
  refreshed(refresh: (session: SessionView) => void): void;
}

type WatchMod = Pick<Mod, 'cleanup' | 'enabled' | 'every' | 'maybe' | 'node' | 'on' | 'perSession' | 'when'>;

export function watch(mod: WatchMod, { registrations, notifier, options, failed, refreshed }: WatchParts): void {
  const { node } = mod;

  const notice = (packet: Packet, account: Jid, isStored: boolean): void => {
    const kind = packet.from.bare === account.bare ? undefined : worthOf(packet);
    if (!kind) return;
    const body = options(account.domain).content === 'body' ? bodyOf(packet) : '';
    const room = packet.type === 'groupchat' && { room: inRoom(packet, account) };
    const key = keyOf(packet, account);
    void notifier.notice(account, { kind, key, from: packet.from, body, isStored, ...room });
  };

  // ---- offline ------------------------------------------------------------------------------------------------------------------

  attached(mod, Offline, offline =>
    offline.onStored(({ packet, account }) => {
      if (mod.enabled(account.domain)) notice(packet, account, true);
    }),
  );

  // a contact request that nobody saw (RFC 6121 3.1.3)
  attached(mod, PresenceService, presence =>
    presence.onRequest((account, contact) => {
      if (!mod.enabled(account.domain)) return;
      const from = contact.toBare();
      const event: PushEvent = { kind: 'request', key: `request ${from.bare}`, from, body: '', isStored: false };
      void notifier.notice(account.toBare(), event);
    }),
  );

  // ---- groups -------------------------------------------------------------------------------------------------------------------

  let groups: GroupMessages | undefined;
  const rooms = attached(mod, Rooms, service => {
    const messages = new GroupMessages({
      node,
      registrations,
      notifier,
      rooms: service,
      told: host => mod.enabled(host) && options(host).groups,
      withBody: host => options(host).content === 'body',
      failed,
    });
    groups = messages;
    return service.listen({ said: (room, packet, author) => messages.said(room, packet, author) });
  });
  const isRoom = ({ type, from }: Packet): boolean =>
    type === 'groupchat' && rooms()?.hostOf(from.domain) !== undefined;

  // ---- sessions that wait, sleep, or show that nobody is there ------------------------------------------------------------------

  /** Whether what this session gets may have to be told to another device, though it is connected and active. */
  const beside = mod.perSession<boolean>(() => false);
  const refresh = (session: SessionView): void => {
    const decide = (all: readonly Registration[]): void => {
      const { away } = options(session.jid.domain);
      const others = all.some(({ device, settings }) => device !== session.jid.resource && !(settings.away ?? away));
      beside.set(session, others || (all.length > 0 && !isInUse(session)));
    };
    if (session.anonymous) return;
    const all = registrations.of(session.user.jid);
    if (all instanceof Promise) all.then(decide).catch(failed);
    else decide(all);
  };
  refreshed(refresh);
  const isBack = (session: SessionView): void => {
    notifier.isBack(session.user.jid);
    refresh(session);
  };
  mod.when('bound', isBack);
  mod.when('resumed', isBack);
  mod.on('presence', 'tap', { kind: 'presence' }, (_, session) => refresh(session));
  for (const user of node.users()) for (const session of user.sessions) refresh(session);

  mod.on('deliver', 'tap', { kind: 'message' }, (packet, session) => {
    if (session.connected && session.inactiveSince === 0 && !beside.get(session)) return;
    if (isRoom(packet)) groups?.reached(packet, session.user.jid);
    else notice(packet, session.user.jid, false);
  });

  // what was written to a connection that had gone already
  mod.when('detached', session => {
    const { jid } = session.user;
    if (!mod.enabled(jid.domain)) return;
    session.eachNoted(wire => {
      const stanza = indexed(wire);
      const from = parseJid(stanza.attr('from') ?? '');
      if (stanza.name !== 'message' || !from) return;
      const packet = Packet.fromWire(wire, from, session.jid);
      if (isRoom(packet)) groups?.missed(packet, jid);
      else notice(packet, jid, false);
    });
  });
}

/** In a room of another server, of which nothing more is known than its messages. */
function inRoom(packet: Packet, account: Jid): PushEvent['room'] {
  const addressing = addressingOf(packet.stanza, bodyOf(packet));
  const room = packet.from.toBare();
  return {
    isPrivate: false,
    isMention: nick => isMentioned(addressing, { account, room, nicks: nick === undefined ? [] : [nick] }),
  };
}
