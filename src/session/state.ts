import { type Jid, parseJid } from '../jid/index.ts';
import { fromWire, toWire } from '../xml/index.ts';
import type { KeptItem } from './outbox.ts';
import type { Session } from './session.ts';

/** A session as the journal has it. */
export interface SessionState {
  readonly jid: string;
  readonly since: number;
  readonly transport: string;
  readonly address: string;
  readonly lang?: string | undefined;
  readonly client?: string | undefined;
  readonly resumption: string;
  /** Seconds. */
  readonly timeout: number;
  /** The presence that it shows, as markup. */
  readonly presence?: string | undefined;
  readonly priority: number;
  /** Milliseconds since 1970. */
  readonly takesSince?: number | undefined;
  /** Stanzas that the client had acknowledged, and those of it that were handled, modulo 2^32. */
  readonly acks: number;
  readonly h: number;
  /** What modules keep of it, by their names and the order in which they asked for places. */
  readonly kept: Readonly<Record<string, unknown>>;
}

/** A session that the program had when it ended. */
export interface FormerSession {
  readonly id: string;
  readonly jid: Jid;
  readonly state: SessionState;
  readonly items: readonly KeptItem[];
}

export function stateJson(session: Session, kept: Readonly<Record<string, unknown>>): string {
  const { jid, since, transport, address, lang, client, resumption, presence, priority, takesSince, outbox, recorded } =
    session;
  const state: SessionState = {
    jid: jid.full,
    since,
    transport,
    address,
    lang,
    client,
    resumption: resumption!.id,
    timeout: resumption!.timeout,
    presence: presence && fromWire(presence.wire()),
    priority,
    takesSince: Number.isFinite(takesSince) ? takesSince : undefined,
    acks: outbox.acks,
    h: recorded,
    kept,
  };
  return toWire(JSON.stringify(state));
}

/** Throws when it is nothing of `stateJson`. */
export function readState(json: string): { jid: Jid; state: SessionState } {
  const state = JSON.parse(fromWire(json)) as SessionState;
  const jid = parseJid(state.jid);
  if (!jid || typeof state.resumption !== 'string') throw new Error('the journal of sessions holds something else');
  return { jid, state };
}
