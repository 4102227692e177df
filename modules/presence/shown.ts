import type { Mod, SessionView, Slot } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';

/** Addresses beside the roster that a session may show itself to. */
const MOST = 10_000;

interface State {
  available: boolean;
  directed: Map<string, Jid> | undefined;
  telling: Promise<unknown> | undefined;
}

/** What sessions have shown of themselves, and to whom. */
export class Shown {
  private readonly slot: Slot<State>;

  constructor(mod: Pick<Mod, 'node' | 'perSession'>) {
    // a session that was there before the module has been shown already
    this.slot = mod.perSession<State>(() => ({ available: false, directed: undefined, telling: undefined }), {
      write: ({ available, directed }) =>
        available || directed ? { available, directed: [...(directed?.keys() ?? [])] } : undefined,
      read: json => {
        const { available, directed } = json as { available: boolean; directed: string[] };
        const addresses = directed.map(text => parseJid(text)).filter(jid => jid !== undefined);
        const map = addresses.length > 0 ? new Map(addresses.map(to => [to.full, to])) : undefined;
        return { available, directed: map, telling: undefined };
      },
    });
    for (const user of mod.node.users()) {
      for (const session of user.sessions) if (session.presence) this.slot.get(session).available = true;
    }
  }

  /** Whether it has sent initial presence (RFC 6121 4.2). */
  isAvailable(session: SessionView): boolean {
    return this.slot.get(session).available;
  }

  setAvailable(session: SessionView, available: boolean): void {
    const state = this.slot.get(session);
    if (state.available === available) return;
    state.available = available;
    this.slot.set(session, state);
  }

  /** What is being told of a session: what comes after it has to wait for that. */
  telling(session: SessionView): Promise<unknown> | undefined {
    return this.slot.get(session).telling;
  }

  during<T>(session: SessionView, telling: Promise<T>): Promise<T> {
    const state = this.slot.get(session);
    const done = telling.finally(() => {
      if (state.telling === done) state.telling = undefined;
    });
    state.telling = done;
    return done;
  }

  /** Notes directed presence (RFC 6121 4.6.1). False when there is no room for more. */
  addDirected(session: SessionView, to: Jid): boolean {
    const directed = (this.slot.get(session).directed ??= new Map());
    if (directed.size >= MOST && !directed.has(to.full)) return false;
    if (directed.has(to.full)) return true;
    directed.set(to.full, to);
    this.slot.set(session, this.slot.get(session));
    return true;
  }

  removeDirected(session: SessionView, to: Jid): boolean {
    const state = this.slot.get(session);
    if (!state.directed?.delete(to.full)) return false;
    this.slot.set(session, state);
    return true;
  }

  /** Whether a session showed itself to this address, or to the account that it belongs to. */
  hasDirected(session: SessionView, to: Jid): boolean {
    const { directed } = this.slot.get(session);
    return directed !== undefined && (directed.has(to.full) || directed.has(to.bare));
  }

  hasAnyDirected(session: SessionView): boolean {
    return (this.slot.get(session).directed?.size ?? 0) > 0;
  }

  /** Those whom a session showed itself to directly (all, or those that are meant): from now on it did not. */
  takeDirected(session: SessionView, meant: (to: Jid) => boolean = () => true): readonly Jid[] {
    const state = this.slot.get(session);
    if (!state.directed) return [];
    const taken = [...state.directed.values()].filter(meant);
    for (const to of taken) state.directed.delete(to.full);
    if (state.directed.size === 0) state.directed = undefined;
    this.slot.set(session, state);
    return taken;
  }
}
