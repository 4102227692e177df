/*
 * Live delivery: a session whose client asks for it gets what is said in all groups of its account, at its own address, without having
 * entered them. docs/groups.md
 */
import {
  Empty,
  FULL,
  type MaybePromise,
  type Mod,
  type Packet,
  Packet as Packets,
  plain,
  sendToMany,
  type SessionView,
  type Slot,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { xml } from '../../src/xml/index.ts';
import { Blocking, deliverUnblocked } from '../blocking/contract.ts';
import type { RoomView } from '../rooms/contract.ts';
import { GROUPS } from './errors.ts';
import { membersAmong } from './groups.ts';

interface Cached {
  readonly version: number;
  readonly sessions: readonly SessionView[];
}

export class Live {
  private readonly mod: Pick<Mod, 'enabled' | 'maybe' | 'node'>;
  private readonly wanted: Slot<boolean>;
  /** Sessions that asked for it, by account. */
  private readonly accounts = new Map<string, Set<SessionView>>();
  /** Another one each time that somebody asks for it, or not any more. */
  private version = 0;
  /** Those of the members of a group. */
  private readonly cached = new WeakMap<RoomView, Cached>();
  /** What is being told to very many: what comes next comes behind it. */
  private readonly telling = new Map<RoomView, Promise<void>>();

  constructor(mod: Mod) {
    this.mod = mod;
    this.wanted = mod.perSession<boolean>(() => false, plain());
    for (const [name, on] of [
      ['live', true],
      ['silent', false],
    ] as const) {
      mod.iq({ xmlns: GROUPS, name, type: 'set', to: 'account' }, ({ session }) => {
        if (session) this.set(session, on);
        return Empty;
      });
    }
    mod.add('bindFeatures', {
      xmlns: GROUPS,
      asked: true,
      bound: session => {
        this.set(session, true);
        return xml('live', { xmlns: GROUPS });
      },
    });
    mod.when('ended', session => this.forget(session));
    mod.when('restored', session => this.know(session));
    for (const user of mod.node.users()) for (const session of user.sessions) this.know(session);
  }

  private set(session: SessionView, on: boolean): void {
    if (session.anonymous) return;
    this.wanted.set(session, on);
    if (on) this.know(session);
    else this.forget(session);
  }

  private know(session: SessionView): void {
    if (!this.wanted.get(session) || !session.alive) return;
    const { bare } = session.jid;
    const known = this.accounts.get(bare);
    if (known) known.add(session);
    else this.accounts.set(bare, new Set([session]));
    this.version++;
  }

  private forget(session: SessionView): void {
    const known = this.accounts.get(session.jid.bare);
    if (!known?.delete(session)) return;
    if (known.size === 0) this.accounts.delete(session.jid.bare);
    this.version++;
  }

  /** Who belongs to a group is another now. */
  changed(room: RoomView): void {
    this.cached.delete(room);
  }

  /** How many sessions asked for it. */
  get size(): number {
    let size = 0;
    for (const sessions of this.accounts.values()) size += sessions.size;
    return size;
  }

  /** A message to all in a group, as occupants get it. Of very many the first get it at once; the next one waits for the rest. */
  said(room: RoomView, packet: Packet): MaybePromise<void> {
    if (this.accounts.size === 0 || !this.mod.enabled(room.host)) return undefined;
    const before = this.telling.get(room);
    const told = before ? before.then(() => this.send(room, packet)) : this.send(room, packet);
    if (!(told instanceof Promise)) return undefined;
    const done: Promise<void> = told.finally(() => {
      if (this.telling.get(room) === done) this.telling.delete(room);
    });
    this.telling.set(room, done);
    return done;
  }

  private send(room: RoomView, packet: Packet): MaybePromise<void> {
    const blocking = this.mod.maybe(Blocking);
    return sendToMany(this.mod.node, packet, this.of(room), session => {
      // who has entered has it already
      if (!session.alive || room.isInside(session.jid)) return;
      const copy = packet.readdressed(session.jid);
      copy.address = FULL;
      void deliverUnblocked(blocking, this.mod.node, copy, session);
    });
  }

  /** What the group itself says: `inner` is markup (a wire string). */
  announce(room: RoomView, inner: string): MaybePromise<void> {
    return this.said(room, Packets.fromWire(`<message type='groupchat'>${inner}</message>`, room.jid, undefined));
  }

  /** Tells sessions of an account that it belongs to a group, or not any more. */
  tell(account: Jid, room: Jid, name: 'joined' | 'left'): void {
    const inner = xml('message', { type: 'headline' }, xml(name, { xmlns: GROUPS, jid: room.bare }));
    for (const session of this.accounts.get(account.bare) ?? [])
      if (session.alive) session.send(Packets.of(inner, room, session.jid));
  }

  private of(room: RoomView): readonly SessionView[] {
    const known = this.cached.get(room);
    if (known?.version === this.version) return known.sessions;
    const sessions: SessionView[] = [];
    for (const { bare } of membersAmong(room, this.accounts)) sessions.push(...(this.accounts.get(bare) ?? []));
    this.cached.set(room, { version: this.version, sessions });
    return sessions;
  }
}
