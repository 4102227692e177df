/** A message as its sender and its receivers know it. */
export interface Entry {
  readonly id: string;
  /** The device that sent it, the user it is for, and its number among those of that device to that user. */
  readonly from: string;
  readonly to: string;
  readonly seq: number;
  /** The server acknowledged it (XEP-0198). */
  acknowledged: boolean;
  /** An error came back. */
  refused: boolean;
  /** Whether it was sent again in a new session, because the old one could not be resumed. */
  resent: boolean;
  /** How often it came, by device. */
  readonly receipts: Map<string, number>;
}

/** What a ledger is compared for, each with the number of times that it did not hold. */
export interface Verdict {
  /** Acknowledged, and no device of its recipient has it. */
  lost: number;
  /** The same message twice on one device. */
  doubled: number;
  /** The same, or `lied`, of messages that their sender sent again, with the same origin-id, after a resumption that failed. */
  repeated: number;
  /** Came behind a later message of the same device to the same user. */
  order: number;
  /** Refused, and delivered all the same. */
  lied: number;
  /** Neither acknowledged nor refused in the end. */
  stuck: number;
  /** Missing on a device that was told to have all. */
  missing: number;
  /** Sessions that could not be resumed after the server was killed, though their time was not over. */
  unresumed: number;
  /** The archive is not the ledger: messages missing in it, twice in it, or in another order. */
  archive: number;
  /** The server did what no server may do: counts that cannot be, markup that is none, a start that fails. */
  faults: number;
}

export type Invariant = keyof Verdict;

export interface Totals {
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly received: number;
  readonly resent: number;
}

const EXAMPLES = 5;

/** Who sent what to whom, what was promised, and what came. */
export class Ledger {
  readonly entries = new Map<string, Entry>();
  readonly faults: string[] = [];
  /** Attempts to resume after a kill. */
  resumptions = 0;
  unresumed = 0;
  private readonly seqs = new Map<string, number>();
  /** By device and conversation, the highest number that came. */
  private readonly highest = new Map<string, number>();
  private readonly disordered: string[] = [];
  private readonly archives: string[] = [];
  /** When something last changed; milliseconds of `performance.now()`. */
  changed = 0;

  /** The id of a new message from a device ('romeo/a') to a user. */
  send(from: string, to: string): string {
    const conversation = `${from}>${to}`;
    const seq = (this.seqs.get(conversation) ?? 0) + 1;
    this.seqs.set(conversation, seq);
    const id = `${from.replace('/', '-')}.${to}.${seq}`;
    this.entries.set(id, {
      id,
      from,
      to,
      seq,
      acknowledged: false,
      refused: false,
      resent: false,
      receipts: new Map(),
    });
    return id;
  }

  acknowledge(id: string): void {
    this.entries.get(id)!.acknowledged = true;
    this.changed = performance.now();
  }

  refuse(id: string): void {
    this.entries.get(id)!.refused = true;
    this.changed = performance.now();
  }

  resend(id: string): void {
    this.entries.get(id)!.resent = true;
  }

  receive(device: string, id: string): void {
    this.changed = performance.now();
    const entry = this.entries.get(id);
    if (!entry) {
      this.fault(`${device} got ${id}, which nobody sent`);
      return;
    }
    const before = entry.receipts.get(device) ?? 0;
    entry.receipts.set(device, before + 1);
    if (before > 0) return;
    const conversation = `${device}<${entry.from}>${entry.to}`;
    const highest = this.highest.get(conversation) ?? 0;
    if (entry.seq < highest) this.disordered.push(`${device} got ${id} behind number ${highest}`);
    else this.highest.set(conversation, entry.seq);
  }

  /** What the archive of a user holds, in its order: ids of all that it was sent and sent itself. `forgiven` may be missing. */
  archived(user: string, ids: readonly string[], forgiven?: ReadonlySet<string>): void {
    const seen = new Set<string>();
    const highest = new Map<string, number>();
    for (const id of ids) {
      const entry = this.entries.get(id);
      if (!entry) this.archives.push(`the archive of ${user} holds ${id}, which nobody sent`);
      else if (seen.has(id)) this.archives.push(`the archive of ${user} holds ${id} twice`);
      else {
        seen.add(id);
        const conversation = `${entry.from}>${entry.to}`;
        const before = highest.get(conversation) ?? 0;
        if (entry.seq < before) this.archives.push(`the archive of ${user} holds ${id} behind number ${before}`);
        highest.set(conversation, Math.max(before, entry.seq));
      }
    }
    for (const entry of this.entries.values()) {
      if (entry.refused || seen.has(entry.id) || forgiven?.has(entry.id)) continue;
      if (entry.to !== user && userOf(entry.from) !== user) continue;
      if (entry.acknowledged || entry.receipts.size > 0) this.archives.push(`the archive of ${user} lacks ${entry.id}`);
    }
  }

  fault(text: string): void {
    this.faults.push(text);
  }

  /** Whether everything that was acknowledged has come. */
  get complete(): boolean {
    for (const { acknowledged, refused, receipts } of this.entries.values()) {
      if (acknowledged && !refused && receipts.size === 0) return false;
    }
    return true;
  }

  totals(): Totals {
    const entries = [...this.entries.values()];
    const count = (test: (entry: Entry) => boolean): number => entries.filter(test).length;
    return {
      sent: entries.length,
      acknowledged: count(entry => entry.acknowledged),
      refused: count(entry => entry.refused),
      received: count(entry => entry.receipts.size > 0),
      resent: count(entry => entry.resent),
    };
  }

  /**
   * Compares. `devices`: for a user, the devices that have to have all that was sent to it; none unless given. `forgiven`: messages
   * that may be lost.
   */
  judge(options: { devices?: (entry: Entry) => readonly string[]; forgiven?: ReadonlySet<string> } = {}): Judgement {
    const found: Record<Invariant, string[]> = {
      lost: [],
      doubled: [],
      repeated: [],
      order: [...this.disordered],
      lied: [],
      stuck: [],
      missing: [],
      unresumed: Array.from({ length: this.unresumed }, () => `of ${this.resumptions} sessions`),
      archive: [...this.archives],
      faults: [...this.faults],
    };
    for (const entry of this.entries.values()) {
      const { id, acknowledged, refused, resent, receipts } = entry;
      if (acknowledged && !refused && !options.forgiven?.has(id)) {
        if (![...receipts.keys()].some(device => userOf(device) === entry.to))
          found.lost.push(resent ? `${id} (sent again)` : id);
        for (const device of options.devices?.(entry) ?? []) {
          if (!receipts.has(device)) found.missing.push(`${id} on ${device}`);
        }
      }
      if (!acknowledged && !refused) found.stuck.push(id);
      if (refused && receipts.size > 0) (resent ? found.repeated : found.lied).push(id);
      for (const [device, times] of receipts) {
        if (times > 1) (resent ? found.repeated : found.doubled).push(`${id} on ${device}, ${times} times`);
      }
    }
    return new Judgement(found);
  }
}

/** What a comparison found. */
export class Judgement {
  private readonly found: Readonly<Record<Invariant, readonly string[]>>;

  constructor(found: Readonly<Record<Invariant, readonly string[]>>) {
    this.found = found;
  }

  get verdict(): Verdict {
    return Object.fromEntries(
      Object.entries(this.found).map(([name, list]) => [name, list.length]),
    ) as unknown as Verdict;
  }

  /** What did not hold, in words. */
  faults(): string[] {
    const names = Object.entries(this.verdict).filter(([, count]) => count > 0) as [Invariant, number][];
    return names.map(([name, count]) => `${count} ${name}: ${this.examples(name)}`);
  }

  /** A few of each. */
  examples(invariant: Invariant): string {
    const list = this.found[invariant];
    const more = list.length > EXAMPLES ? `, and ${list.length - EXAMPLES} more` : '';
    return list.slice(0, EXAMPLES).join('; ') + more;
  }
}

/** 'romeo' of 'romeo/a'. */
export function userOf(device: string): string {
  return device.slice(0, device.indexOf('/'));
}
