import { createHash } from 'node:crypto';
import type { Connection } from '../../src/api/index.ts';

/** Bytes that one side may leave unread before the other is read no more. */
const HIGH = 256 * 1024;

/** One of the two ends of a transfer. */
export interface End {
  readonly connection: Connection;
  /** Sends what has been written, then closes. */
  end(): void;
  destroy(): void;
}

interface Transfer {
  readonly hash: string;
  readonly ends: Member[];
  active: boolean;
  /** When something last moved, in milliseconds since 1970. */
  moved: number;
}

interface Member {
  readonly end: End;
  readonly transfer: Transfer;
  /** What it sent before the activation. */
  early: string;
  /** Its peer has gone: it ends once it has taken everything. */
  last: boolean;
}

/** The transfers of a proxy: who is connected for which, and what goes from whom to whom. */
export class Transfers {
  /** Connections that have not said yet what they are for, and since when they are there. */
  private readonly arriving = new Map<End, number>();
  private readonly byHash = new Map<string, Transfer>();
  private readonly members = new Map<End, Member>();
  private readonly relayed: (bytes: number) => void;

  constructor(relayed: (bytes: number) => void) {
    this.relayed = relayed;
  }

  /** Number of transfers that have been activated. */
  get active(): number {
    const ends = [...this.members.values()];
    return new Set(ends.filter(({ transfer }) => transfer.active).map(({ transfer }) => transfer)).size;
  }

  arrived(end: End): void {
    this.arriving.set(end, Date.now());
  }

  /** Takes it in, with what it sent already, and reads no more of it until the activation. False when both ends are there already. */
  join(hash: string, end: End, early: string): boolean {
    let transfer = this.byHash.get(hash);
    if (!transfer) this.byHash.set(hash, (transfer = { hash, ends: [], active: false, moved: Date.now() }));
    if (transfer.ends.length === 2) return false;
    const member: Member = { end, transfer, early, last: false };
    transfer.ends.push(member);
    this.arriving.delete(end);
    this.members.set(end, member);
    end.connection.pause();
    return true;
  }

  /** Lets the bytes flow (XEP-0065 6.3.5). 'alone': only one end is there; 'unknown': none is. */
  activate(sid: string, requester: string, target: string): 'activated' | 'alone' | 'unknown' {
    const transfer = this.byHash.get(streamHash(sid, requester, target));
    if (!transfer) return 'unknown';
    if (transfer.ends.length < 2) return 'alone';
    // the hash has been used: nobody else joins
    this.byHash.delete(transfer.hash);
    transfer.active = true;
    transfer.moved = Date.now();
    for (const member of transfer.ends) {
      if (member.early !== '') this.pass(member.end, member.early);
      member.early = '';
      member.end.connection.resume();
    }
    return 'activated';
  }

  /** What one end sent goes to the other; who sends faster than the other reads is read later. */
  pass(from: End, wire: string): void {
    const member = this.members.get(from);
    if (!member) return;
    if (!member.transfer.active) {
      member.early += wire;
      return;
    }
    member.transfer.moved = Date.now();
    const to = other(member);
    if (!to) return;
    const { connection } = to.end;
    connection.write(wire);
    connection.flush();
    this.relayed(wire.length);
    if (connection.backlog > HIGH) from.connection.pause();
  }

  /** An end has taken all that was written to it. */
  drained(end: End): void {
    const member = this.members.get(end);
    if (!member) return;
    member.transfer.moved = Date.now();
    if (member.last) this.finish(member);
    else if (member.transfer.active) other(member)?.end.connection.resume();
  }

  /** An end has gone. The other one gets what was on the way, and is closed. */
  left(end: End): void {
    this.arriving.delete(end);
    const member = this.members.get(end);
    if (!member) return;
    this.forget(member);
    const rest = member.transfer.ends[0];
    if (!rest) {
      if (this.byHash.get(member.transfer.hash) === member.transfer) this.byHash.delete(member.transfer.hash);
    } else if (member.transfer.active) {
      rest.last = true;
      if (rest.end.connection.backlog === 0) this.finish(rest);
    }
  }

  private finish(member: Member): void {
    this.forget(member);
    member.end.end();
  }

  private forget(member: Member): void {
    this.members.delete(member.end);
    member.transfer.ends.splice(member.transfer.ends.indexOf(member), 1);
  }

  /** Closes what has waited for its activation, or moved nothing, for so many milliseconds. */
  sweep(wait: number, idle: number): void {
    const now = Date.now();
    for (const [end, since] of this.arriving) if (now - since > wait) end.destroy();
    for (const { end, transfer } of this.members.values()) {
      if (now - transfer.moved > (transfer.active ? idle : wait)) end.destroy();
    }
  }

  /** Closes everything. */
  close(): void {
    for (const end of [...this.arriving.keys(), ...this.members.keys()]) end.destroy();
    this.arriving.clear();
    this.members.clear();
    this.byHash.clear();
  }
}

function other(member: Member): Member | undefined {
  return member.transfer.ends.find(one => one !== member);
}

/** XEP-0065 6.3.2: what both ends name. */
export function streamHash(sid: string, requester: string, target: string): string {
  return createHash('sha1')
    .update(sid + requester + target, 'utf8')
    .digest('hex');
}
