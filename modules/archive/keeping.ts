import { currentUnit, DONE, type Packet, type Unit, type Verdict } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { escapeAttribute, toWire } from '../../src/xml/index.ts';
import type { StanzaIdsService } from '../stanza-id/contract.ts';
import { contentFlags, isKeepable } from './keepable.ts';
import { AHEAD } from './schema.ts';
import { keyOf, markOf } from './key.ts';
import type { OriginKey } from './origin-key.ts';
import type { Origins } from './origins.ts';
import type { Passage } from './passage.ts';
import { burials, retractedId } from './retraction.ts';
import type { Address } from './addresses.ts';
import { type ArchiveStore, type Burial, type NewMessage, RECEIVED, SENT } from './store.ts';

/** Uncommitted messages above which senders are read more slowly. */
const BACKLOG = 1000;

type Decision = boolean | Promise<boolean>;

/** What keeping needs of the module. */
export interface KeepingParts {
  readonly store: ArchiveStore;
  readonly ids: StanzaIdsService;
  /** Whether an account's archive takes what it exchanges with a contact. */
  wants(account: Jid, contact: Jid): Decision;
  /** What was kept of late; undefined where messages that come twice are not looked for. */
  origins(host: string): Origins | undefined;
  now(): number;
  /** What is for accounts of this server goes on by itself when it is committed. */
  readonly passage: Passage;
  /** Told when a message is committed, with its id. */
  committed(packet: Packet, id: string): void;
}

/**
 * Puts messages into archives, and lets them go on when they are committed. One that both its sender and its recipient keep is one
 * row, with one id.
 */
export class Keeping {
  private readonly parts: KeepingParts;
  /** Who waits for a message of a client to be in its sender's archive. */
  private readonly waiting = new WeakMap<Packet, (id: string | undefined) => void>();
  /** Ids in their senders' archives, of messages that were kept before they went on. */
  private readonly sentIds = new WeakMap<Packet, string>();

  constructor(parts: KeepingParts) {
    this.parts = parts;
  }

  /** Has `done` told the id of a message in its sender's archive; `arrives`: whether it will come here again. */
  whenSent(packet: Packet, arrives: boolean, done: (id: string | undefined) => void): 'told' | 'later' | undefined {
    const id = this.sentIds.get(packet);
    if (id !== undefined) {
      done(id);
      return 'told';
    }
    if (!arrives || !isKeepable(packet)) return undefined;
    this.waiting.set(packet, done);
    return 'later';
  }

  /** What leaves for somewhere that has no archive here. */
  leaving(packet: Packet): Verdict | Promise<Verdict> {
    if (!isKeepable(packet)) return undefined;
    const wanted = this.parts.wants(packet.from, packet.to!);
    if (wanted instanceof Promise) return wanted.then(sent => this.keep(packet, sent, false, false));
    return this.keep(packet, wanted, false, false);
  }

  /** What is for an account of this server. `senderKeeps`: whether its sender has an archive here. */
  arriving(packet: Packet, senderKeeps: boolean, recipientKeeps: boolean): Verdict | Promise<Verdict> {
    if (!isKeepable(packet)) {
      if (packet.type === 'error') this.failed(packet);
      return undefined;
    }
    const { from } = packet;
    const to = packet.to!;
    // to oneself: once (XEP-0313 6.1.1)
    const own = senderKeeps && from.bare === to.bare;
    const sent = senderKeeps && !own ? this.parts.wants(from, to) : own && this.parts.wants(to, from);
    const received = recipientKeeps && !own && this.parts.wants(to, from);
    if (sent instanceof Promise || received instanceof Promise)
      return Promise.all([sent, received]).then(([s, r]) => this.keep(packet, s, r, true));
    return this.keep(packet, sent, received, true);
  }

  private keep(packet: Packet, sent: boolean, received: boolean, arriving: boolean): Verdict | Promise<Verdict> {
    if (!sent && !received) {
      this.waiting.get(packet)?.(undefined);
      return undefined;
    }
    const { ids } = this.parts;
    const origins = packet.sender && this.parts.origins(packet.from.domain);
    const key = origins && origins.keyOf(packet.from.bare, packet.to!.bare, packet.stanza);
    // it is there, or will be: what came first has its place
    const before = key === undefined ? undefined : origins!.get(key);
    if (before instanceof Promise)
      return before.then(
        () => DONE,
        () => this.keep(packet, sent, received, arriving),
      );
    if (before === true) {
      const { failures } = origins!;
      const kept = this.parts.store.upToNow();
      if (!kept) return DONE;
      return kept.then(() => (origins!.failures === failures ? DONE : this.keep(packet, sent, received, arriving)));
    }
    if (before !== undefined) {
      // kept before it went on, and just before the program ended: it has its place and its id
      if (received || packet.from.bare === packet.to!.bare) ids.give(packet, before);
      this.waiting.get(packet)?.(sent ? before : undefined);
      origins!.add(key!);
      return undefined;
    }
    const { passage, store } = this.parts;
    const earlier = passage.before(packet);
    const numbers = this.numbers(packet);
    const unit = currentUnit();
    if (arriving && numbers && unit && !earlier) {
      this.keepTogether(packet, sent, received, numbers, key, unit);
      return undefined;
    }
    const committed = numbers ? this.add(packet, sent, received, numbers, []) : this.lookUp(packet, sent, received);
    if (key !== undefined) origins!.add(key, committed);
    // what was looked up first has to have its id before the next one comes
    if (arriving && numbers && store.pending <= BACKLOG) {
      // it does not come to the module stanza-id any more
      if (packet.stanza.has('stanza-id', NS.stanzaIds)) ids.clean(packet, packet.to!);
      if (ids.of(packet) === undefined) ids.give(packet, ids.next());
      passage.after(packet, committed);
      return DONE;
    }
    const told = committed.then(() => this.committed(packet));
    return earlier ? Promise.all([earlier, told]).then(() => undefined) : told;
  }

  /** It is in the archives that it is for. */
  committed(packet: Packet): void {
    const id = this.parts.ids.of(packet) ?? this.sentIds.get(packet);
    if (id !== undefined) this.parts.committed(packet, id);
  }

  /** Its sender was told that it did not arrive, and may send it again. */
  refused(packet: Packet): void {
    if (!packet.archived && !this.sentIds.has(packet)) return;
    const origins = packet.sender && this.parts.origins(packet.from.domain);
    const key = origins && origins.keyOf(packet.from.bare, packet.to!.bare, packet.stanza);
    if (key !== undefined) origins!.forget(key);
  }

  /** The same, of what somebody else answers so: by the id of the message, which clients give as its origin id as well. */
  private failed({ id, from, to }: Packet): void {
    const origins = this.parts.origins(to!.domain);
    if (id !== undefined && origins) origins.forget(origins.keyOfId(to!.bare, from.bare, toWire(escapeAttribute(id))));
  }

  /** It goes on at once, and nobody sees it before all that becomes of it is committed. */
  private keepTogether(
    packet: Packet,
    sent: boolean,
    received: boolean,
    numbers: readonly [Address, Address],
    key: OriginKey | undefined,
    unit: Unit,
  ): void {
    const { passage, store } = this.parts;
    const origins = key === undefined ? undefined : this.parts.origins(packet.from.domain);
    unit.required = true;
    if (store.pending > BACKLOG) unit.slow = true;
    const committed = this.add(packet, sent, received, numbers, [], true);
    origins?.add(key!);
    // its sender is answered before it is acknowledged
    unit.whenSettled({
      unitSettled: (_, error) => {
        if (error === undefined) this.committed(packet);
        else {
          origins?.delete(key!);
          passage.refuse(packet, error);
        }
      },
    });
    committed.catch(() => undefined);
  }

  /** Its sender's and its recipient's; undefined where something has to be looked up before a message is kept. */
  private numbers(packet: Packet): readonly [Address, Address] | undefined {
    if (packet.stanza.has('retract', NS.retract)) return undefined;
    const { addresses } = this.parts.store;
    const sender = addresses.atOnce(packet.from.bare);
    const recipient = sender && addresses.atOnce(packet.to!.bare);
    return recipient && [sender, recipient];
  }

  private async lookUp(packet: Packet, sent: boolean, received: boolean): Promise<void> {
    const { store, now, passage } = this.parts;
    // what it retracts may be on its way
    await passage.before(packet);
    const id = retractedId(packet);
    if (id !== undefined) await store.upToNow();
    const sender = await store.addresses.of(packet.from.bare);
    const recipient = await store.addresses.of(packet.to!.bare);
    let buried: Burial[] = [];
    if (id !== undefined) {
      buried = await burials(store, packet, id, [recipient, sender], true, now());
      // preferences may have been others when it was sent
      if (buried.length === 0) buried = await burials(store, packet, id, [sender, recipient], false, now());
    }
    await this.add(packet, sent, received, [sender, recipient], buried);
  }

  /** From the choice of the id to the order of the commit nothing may wait: later ids are committed later. */
  private add(
    packet: Packet,
    sent: boolean,
    received: boolean,
    [sender, recipient]: readonly [Address, Address],
    buried: readonly Burial[],
    together = false,
  ): Promise<void> {
    const { ids, store } = this.parts;
    const stanza = this.written(packet);
    const id = ids.next();
    const sides = (sent ? SENT : 0) | (received ? RECEIVED : 0);
    const flags = sides | contentFlags(packet) | (together ? 0 : AHEAD);
    const message: NewMessage = { id, key: keyOf(id)!, sender, recipient, flags, mark: markOf(packet.id), stanza };
    const added = buried.length > 0 ? store.retract(message, buried) : store.add(message);
    if (received || sender.id === recipient.id) {
      ids.give(packet, id);
      packet.archived = true;
    }
    if (sent && !received) this.sentIds.set(packet, id);
    const done = this.waiting.get(packet);
    // where its recipient alone keeps it, its sender's archive has it not
    const own = sent ? id : undefined;
    if (done && together) done(own);
    return done && !together ? added.then(() => done(own)) : added;
  }

  /** As it goes into the archives: without ids that its sender gave in their owners' names (XEP-0359 3). */
  private written(packet: Packet): string {
    if (!packet.stanza.has('stanza-id', NS.stanzaIds)) return packet.wire();
    const { ids } = this.parts;
    const copy = packet.readdressed(packet.to);
    ids.clean(copy, packet.to!);
    ids.clean(copy, packet.from);
    return copy.wire();
  }
}
