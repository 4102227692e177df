/*
 * What a session that outlives the program leaves behind, record by record (src/node/journal keeps them): wire strings, each a line, and
 * behind that the markup that it speaks of.
 */
import type { Note, Unit } from '../util/unit.ts';
import type { OutboxItem } from './outbox.ts';
import type { Session } from './session.ts';

/** The journal of a node's sessions, as they see it. */
export interface SessionJournal {
  /** From now on all that happens to the session is noted. */
  begin(session: Session): void;
  /** Something that it shows has changed: its presence, what modules keep of it. */
  changed(session: Session): void;
  /** Its client has acknowledged something. */
  acknowledged(session: Session): void;
  /** A stanza of it has been handled as far as that went at once: what the unit notes, and that it was handled, is committed with it. */
  handled(unit: Unit, session: Session): void;
  /** What the unit notes is committed, by itself. */
  commit(unit: Unit): void;
  /** All that is to be known of it is noted anew; settled when that is committed. */
  rewrite(session: Session): Unit;
  /** Resolved when it is noted how many stanzas of its client have been handled; undefined when it is, or will not be any more. */
  recorded(session: Session): Promise<void> | undefined;
  /** Resolved when what its client has acknowledged is noted; undefined when it is, or cannot be now. */
  acknowledgedNoted(session: Session): Promise<void> | undefined;
  /** The message of that number, which its client never took, finds another place in the unit. */
  left(unit: Unit, session: Session, number: number): void;
  /** It is over, and what it left has found its place. */
  over(session: Session): void;
}

/** A message that entered an outbox. */
export class SentNote implements Note {
  private readonly session: Session;
  private readonly item: OutboxItem;

  constructor(session: Session, item: OutboxItem) {
    this.session = session;
    this.item = item;
  }

  get wire(): string {
    return this.item.wire;
  }

  record(before: string | undefined): string {
    const { session, item } = this;
    return sentRecord(session.id, session.outbox.numberOf(item), item.since, item.wire, before);
  }
}

/**
 * A message in an outbox: its number among the stanzas sent (XEP-0198 4); 0 while it is not known. Where all behind its addresses is as in
 * the message that was noted just before, as of what a room sends to many, it is not written again.
 */
export function sentRecord(session: string, number: number, since: number, wire: string, before?: string): string {
  if (before !== undefined) {
    const head = addressesEnd(wire);
    if (head > 0 && before.endsWith(wire.slice(head)))
      return `P ${session} ${number} ${since} ${wire.length - head} ${head}\n${wire.slice(0, head)}`;
  }
  return `O ${session} ${number} ${since} ${wire.length}\n${wire}`;
}

/** Where the addresses end at the beginning of a stanza; 0 where it begins otherwise. */
function addressesEnd(wire: string): number {
  const to = wire.indexOf(" to='");
  if (to < 0 || to > wire.indexOf('>')) return 0;
  return wire.indexOf("'", to + 5) + 1;
}

/** All up to a number, modulo 2^32, is acknowledged. */
export function ackRecord(session: string, acks: number): string {
  return `A ${session} ${acks}\n`;
}

/** So many stanzas of the client, modulo 2^32, have been handled. */
export function handledRecord(session: string, h: number): string {
  return `H ${session} ${h}\n`;
}

/** A session as it is; `whole`: what is in its outbox follows, and nothing else is there. */
export function stateRecord(session: string, json: string, whole: boolean): string {
  return `${whole ? 'R' : 'S'} ${session} ${json.length}\n${json}`;
}

/** The message of that number, which its client never took, has found another place. */
export function leftRecord(session: string, number: number): string {
  return `D ${session} ${number}\n`;
}

export function overRecord(session: string): string {
  return `E ${session}\n`;
}
