import { Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { affiliate } from './affiliating.ts';
import type { RoomConfig } from './config.ts';
import { reconfigure } from './configuring.ts';
import type { AffiliationChange, Farewell, RoomView } from './contract.ts';
import { destroyRoom } from './destroying.ts';
import { forgetApplication } from './registration.ts';
import type { Actor, Affiliation } from './roles.ts';
import type { Room, RoomState } from './room.ts';
import type { Affiliated, Application } from './stored.ts';
import { tellEach } from './telling.ts';

/** A room as other modules see it (contract.ts). */
export class View implements RoomView {
  private readonly room: Room;

  constructor(room: Room) {
    this.room = room;
  }

  private get state(): RoomState {
    const { state } = this.room;
    if (!state) throw new Error('this room is there no more');
    return state;
  }

  get jid(): Jid {
    return this.room.jid;
  }

  get host(): string {
    return this.room.host;
  }

  get isThere(): boolean {
    return this.room.state !== undefined;
  }

  get id(): number {
    return this.state.id;
  }

  get config(): RoomConfig {
    return this.state.config;
  }

  get locked(): boolean {
    return this.state.locked;
  }

  get applications(): readonly Application[] {
    return this.state.applications;
  }

  get affiliatedCount(): number {
    return this.state.affiliations.size;
  }

  affiliated(): Iterable<Affiliated> {
    return this.state.affiliations.all();
  }

  affiliationOf(jid: Jid): Affiliation {
    return this.room.affiliationOf(jid);
  }

  sinceOf(account: Jid): number | undefined {
    return this.state.affiliations.get(account)?.since;
  }

  actor(from: Jid): Actor {
    return this.room.actor(from);
  }

  nickOf(account: Jid): string {
    return this.room.occupants.of(account)[0]?.nick ?? this.state.affiliations.nickOf(account);
  }

  isInside(client: Jid): boolean {
    return this.room.occupants.client(client) !== undefined;
  }

  hasInside(account: Jid): boolean {
    return this.room.occupants.of(account).length > 0;
  }

  affiliate(changes: readonly AffiliationChange[], by: Jid): Promise<void> {
    const all = changes.map(({ jid, affiliation, nick, reason = '' }) => ({ jid, affiliation, nick, reason }));
    return affiliate(this.room, all, by, { invite: false });
  }

  configure(changes: Partial<RoomConfig>, by: Jid): Promise<void> {
    return reconfigure(this.room, { ...this.config, ...changes }, [], by);
  }

  destroy(farewell: Farewell, by: Jid): Promise<void> {
    return destroyRoom(this.room, farewell, by);
  }

  async deny(jid: Jid): Promise<boolean> {
    const application = this.state.applications.find(each => each.jid.bare === jid.bare);
    if (application) await forgetApplication(this.room, application);
    return application !== undefined;
  }

  invite(jid: Jid, by: Jid): void {
    this.room.house.inviteMember(this.room, jid, by);
  }

  announce(inner: string): void {
    const packet = Packet.fromWire(`<message type='groupchat'>${inner}</message>`, this.jid, undefined);
    void tellEach(this.room.occupants.sessions(), to => this.room.send(packet, to));
  }
}
