/*
 * Which rooms the sessions of this node are in. It is kept on the session, so that it is known again when the module is loaded anew, and
 * when the program was killed while the session could be resumed (XEP-0198): nobody has seen it leave then.
 */
import type { Mod, SessionView, Slot } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { OccupantSession } from './occupants.ts';
import { isRole, type OccupantRole } from './roles.ts';
import type { Room } from './room.ts';

/** A session in a room. */
export interface Visit {
  /** room@service/nick */
  readonly address: Jid;
  readonly role: OccupantRole;
}

type ByRoom = ReadonlyMap<string, Visit>;
const NOWHERE: ByRoom = new Map();

export class Visits {
  private readonly slot: Slot<ByRoom>;

  constructor(mod: Pick<Mod, 'perSession'>) {
    this.slot = mod.perSession<ByRoom>(() => NOWHERE, {
      write: visits =>
        visits.size > 0 ? [...visits.values()].map(({ address, role }) => [address.full, role]) : undefined,
      read: json => {
        const visits = new Map<string, Visit>();
        for (const [text, role] of json as [string, string][]) {
          const address = parseJid(text);
          if (address && isRole(role) && role !== 'none') visits.set(address.bare, { address, role });
        }
        return visits;
      },
    });
  }

  /** The rooms that a session is in. */
  of(session: SessionView): Visit[] {
    return [...this.slot.get(session).values()];
  }

  /** It is in the room, or is somebody else there from now on. */
  enter(room: Room, { session, occupant }: OccupantSession): void {
    if (!session?.alive) return;
    const visits = new Map(this.slot.get(session));
    visits.set(room.jid.bare, { address: occupant.address, role: occupant.role });
    this.slot.set(session, visits);
  }

  leave(room: Room, { session }: OccupantSession): void {
    if (session) this.forget(session, room.jid);
  }

  forget(session: SessionView, { bare }: Jid): void {
    const before = this.slot.get(session);
    if (!before.has(bare)) return;
    const visits = new Map(before);
    visits.delete(bare);
    this.slot.set(session, visits);
  }
}
