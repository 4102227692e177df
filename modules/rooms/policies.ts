/* What other modules have to say in rooms, and whom they tell: the lists behind contract.ts. */
import type { Logger } from 'pino';
import type { MaybePromise, Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { StanzaError } from '../../src/protocol/index.ts';
import type { RoomConfig } from './config.ts';
import type {
  AffiliationChange,
  AffiliationStep,
  Farewell,
  GoneRoom,
  Making,
  RoomChange,
  RoomListener,
  RoomPolicy,
} from './contract.ts';
import type { Room } from './room.ts';

type Refusal = MaybePromise<StanzaError | undefined>;

export class Policies {
  private readonly log: Logger;
  private policies: readonly RoomPolicy[] = [];
  private listeners: readonly RoomListener[] = [];
  private readers: readonly RoomListener[] = [];

  constructor(log: Logger) {
    this.log = log;
  }

  guard(policy: RoomPolicy): () => void {
    this.policies = [...this.policies, policy];
    return () => {
      this.policies = this.policies.filter(other => other !== policy);
    };
  }

  listen(listener: RoomListener): () => void {
    const take = (all: readonly RoomListener[]): void => {
      this.listeners = all;
      this.readers = all.filter(({ said }) => said !== undefined);
    };
    take([...this.listeners, listener]);
    return () => take(this.listeners.filter(other => other !== listener));
  }

  /** The first refusal. */
  private ask(question: (policy: RoomPolicy) => Refusal | undefined, from = 0): Refusal {
    for (let index = from; index < this.policies.length; index++) {
      const refused = question(this.policies[index]!);
      if (refused instanceof Promise) return refused.then(it => it ?? this.ask(question, index + 1));
      if (refused) return refused;
    }
    return undefined;
  }

  mayCreate(making: Making): Refusal {
    return this.ask(policy => policy.mayCreate?.(making));
  }

  mayConfigure({ view }: Room, by: Jid, after: RoomConfig): Refusal {
    return this.ask(policy => policy.mayConfigure?.(view, by, after));
  }

  mayAffiliate(room: Room, by: Jid, changes: readonly AffiliationChange[]): Refusal {
    const steps = stepsOf(room, changes);
    return steps.length === 0 ? undefined : this.ask(policy => policy.mayAffiliate?.(room.view, by, steps));
  }

  mayEnter({ view }: Room, from: Jid): Refusal {
    return this.ask(policy => policy.mayEnter?.(view, from));
  }

  mayLeave({ view }: Room, member: Jid): Refusal {
    return this.ask(policy => policy.mayLeave?.(view, member));
  }

  mayApply({ view }: Room, from: Jid): Refusal {
    return this.ask(policy => policy.mayApply?.(view, from));
  }

  mayDestroy({ view }: Room, by: Jid, farewell: Farewell): Refusal {
    return this.ask(policy => policy.mayDestroy?.(view, by, farewell));
  }

  async abandoned(room: Room, last: Jid): Promise<void> {
    for (const policy of this.policies) if (room.state) await policy.abandoned?.(room.view, last);
  }

  takes({ view }: Room, packet: Packet): boolean {
    for (const policy of this.policies) if (policy.takes?.(view, packet)) return true;
    return false;
  }

  officersLeave({ view }: Room): boolean {
    return this.policies.some(policy => policy.officersLeave?.(view));
  }

  maySpeak({ view }: Room, from: Jid, packet: Packet): Refusal {
    return this.ask(policy => policy.maySpeak?.(view, from, packet));
  }

  private tell(all: readonly RoomListener[], each: (listener: RoomListener) => void): void {
    for (const listener of all) {
      try {
        each(listener);
      } catch (error) {
        this.failed(error);
      }
    }
  }

  private failed(error: unknown): void {
    this.log.error({ err: error }, 'a module that is told of rooms failed');
  }

  changing(change: RoomChange): void {
    this.tell(this.listeners, listener => listener.changing?.(change));
  }

  created({ view }: Room, by: Jid): void {
    this.tell(this.listeners, listener => listener.created?.(view, by));
  }

  configured({ view }: Room, before: RoomConfig, by: Jid): void {
    this.tell(this.listeners, listener => listener.configured?.(view, before, by));
  }

  affiliated({ view }: Room, steps: readonly AffiliationStep[], by: Jid): void {
    const changed = steps.filter(({ before, after }) => before !== after);
    if (changed.length > 0) this.tell(this.listeners, listener => listener.affiliated?.(view, changed, by));
  }

  destroyed(room: GoneRoom, farewell: Farewell, by?: Jid): void {
    this.tell(this.listeners, listener => listener.destroyed?.(room, farewell, by));
  }

  /** Resolved when all have been told, where that takes longer than a turn. */
  said({ view }: Room, packet: Packet, author: Jid): MaybePromise<void> {
    let all: Promise<void> | undefined;
    this.tell(this.readers, listener => {
      const told = listener.said!(view, packet, author);
      if (!(told instanceof Promise)) return;
      const before = all;
      all = told.then(
        () => before,
        (error: unknown) => this.failed(error),
      );
    });
    return all;
  }
}

/** What changes would change. */
export function stepsOf(room: Room, changes: readonly AffiliationChange[]): AffiliationStep[] {
  const { affiliations } = room.state!;
  return changes
    .map(({ jid, affiliation: after }): AffiliationStep => ({
      jid,
      before: affiliations.get(jid)?.affiliation ?? 'none',
      after,
    }))
    .filter(({ before, after }) => before !== after);
}
