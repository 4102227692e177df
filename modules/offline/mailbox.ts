import { type Kept, type Packet, type SessionView, andThen, StorageError } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { isEligible, type MailboxParts, restored, type Waiting } from './parts.ts';
import type { Arrival, Totals } from './store.ts';

/** Messages on their way to a client that has not taken them, at most; the next page is read when half of them are taken. */
const WINDOW = 400;
const WINDOW_BYTES = 512 * 1024;
/** ms after which it is tried again to remove what could not be. */
const AGAIN = 1_000;

/**
 * What waits for one account, and its handing over to one session at a time. A message leaves the store when its client has it,
 * not before: so nothing is lost, and a client that has it is not given it again.
 */
export class Mailbox {
  readonly account: Jid;
  messages: number;
  bytes: number;
  private readonly parts: MailboxParts;
  private readonly moved: (box: Mailbox, busy: boolean) => void;
  /** Writes under way, and those that are over. */
  private pending = 0;
  private written = 0;
  /** The session that is being given what waits. Messages that come for it go to the end of the queue. */
  private reader: SessionView | undefined;
  /** The stanza id of the message that was handed over last. */
  private cursor = '';
  private reading = false;
  /** On their way, with their size: in an outbox, not taken yet. */
  private readonly out = new Map<number, number>();
  private outBytes = 0;
  /** Taken, and not yet removed from the store. */
  private readonly gone = new Set<number>();
  /** Stanza ids of messages that are being stored while they are in an outbox. */
  private readonly adopting = new Set<string>();
  /** Came during a handing over, for several sessions: those that got it at once. */
  private readonly had = new Map<number, readonly SessionView[]>();
  /** Packets that are being handed over at this moment. */
  private readonly own = new Set<Packet>();
  private returning = false;

  constructor(parts: MailboxParts, account: Jid, totals: Totals, moved: (box: Mailbox, busy: boolean) => void) {
    this.parts = parts;
    this.account = account;
    this.moved = moved;
    this.messages = totals.messages;
    this.bytes = totals.bytes;
  }

  /**
   * Keeps a message. Rejects with a StorageError when it could not be written. `had`: the sessions that got it already, of several
   * for which it came.
   */
  async add(arrival: Arrival, had?: readonly SessionView[]): Promise<void> {
    try {
      await this.write(arrival, id => {
        if (had && had.length > 0 && this.reader) this.had.set(id, had);
        // what came back from a session has its place among what was read already
        if (arrival.stanzaId <= this.cursor && !this.out.has(id) && !this.gone.has(id)) this.cursor = '';
      });
    } catch (error) {
      // it came back, and waits here already
      if (!(error instanceof StorageError && error.kind === 'constraint')) throw error;
    }
  }

  /** Writes a row. `committed` is told its number before anything else is done with it. */
  private async write(arrival: Arrival, committed: (id: number) => void): Promise<number> {
    const bytes = arrival.wire.length;
    this.messages++;
    this.bytes += bytes;
    this.pending++;
    this.moved(this, true);
    try {
      const id = await this.parts.store.add(this.account, arrival);
      committed(id);
      return id;
    } catch (error) {
      this.messages--;
      this.bytes -= bytes;
      throw error;
    } finally {
      this.pending--;
      this.written++;
      this.read();
      this.settle();
    }
  }

  /**
   * Keeps a message that is in a session's outbox already: on its way, as those that it hands over. `had`: other sessions that got
   * it too.
   */
  adopt(arrival: Arrival, had: readonly SessionView[]): Kept {
    const { stanzaId, wire } = arrival;
    this.adopting.add(stanzaId);
    const written = this.write(arrival, id => {
      this.adopting.delete(stanzaId);
      this.out.set(id, wire.length);
      this.outBytes += wire.length;
      if (had.length > 0) this.had.set(id, had);
    });
    written.catch(() => this.adopting.delete(stanzaId));
    return {
      committed: written.then(() => {}),
      taken: taken => void written.then(id => this.answered(id, taken)).catch(() => {}),
    };
  }

  /** Whether the packet is one that it is handing over at this moment. */
  hands(packet: Packet): boolean {
    return this.own.delete(packet);
  }

  /** Whether messages for this session have to queue behind what it is being given. */
  serves(session: SessionView): boolean {
    return this.reader === session;
  }

  /** Hands over what waits and what will come, unless another session is being given it. False then. */
  begin(session: SessionView): boolean {
    if (this.reader) return this.reader === session;
    this.reader = session;
    this.cursor = '';
    this.moved(this, true);
    return true;
  }

  /** Hands over what waits, if no other session is being given it. */
  serve(session: SessionView): void {
    const any = this.messages > 0 || this.pending > 0 || this.parts.passing(this.account) !== undefined;
    if (!this.reader && any && this.begin(session)) this.read();
  }

  /**
   * What the account's archive has up to a stanza id waits no more: a client fetches it from there. What came behind that it does not know
   * of. Rejects with a StorageError.
   */
  async clear(upTo: string): Promise<void> {
    // what is on its way to somebody is that one's
    if (this.messages === 0 || this.reader || this.out.size > 0 || this.gone.size > 0) return;
    const { messages, bytes } = await this.parts.store.clear(this.account, upTo);
    this.messages -= messages;
    this.bytes -= bytes;
  }

  /** The session is over, or does not want messages now. What it has not been given is another's. */
  left(session: SessionView): void {
    if (this.reader !== session) return;
    this.stop();
    this.returned();
  }

  private stop(): void {
    this.reader = undefined;
    this.own.clear();
    this.settle();
  }

  private read(): void {
    if (!this.reading && this.reader) void this.pages();
  }

  /** Reads on as long as the reader takes: nothing here waits but for handlers on the way to it. */
  private async pages(): Promise<void> {
    this.reading = true;
    try {
      for (let session = this.reader; session; session = this.reader) {
        if (!isEligible(session)) this.left(session);
        else {
          if (this.out.size > WINDOW / 2 || this.outBytes > WINDOW_BYTES / 2) return;
          // some of it may be on its way here from a session that has ended, and is older
          const passing = this.parts.passing(this.account);
          if (passing) {
            await passing;
            continue;
          }
          const { cursor, written } = this;
          const page = this.parts.page(this.account, cursor, WINDOW / 2, WINDOW_BYTES / 2);
          const rows = page instanceof Promise ? await page : page;
          // what was read is not what is to come now: another reader, something that came back, something new
          if (this.reader !== session || this.cursor !== cursor) continue;
          if (rows.length === 0) {
            if (this.written !== written) continue;
            // what is being written comes next
            if (this.pending === 0) this.stop();
            return;
          }
          await this.giveAll(rows, session);
        }
      }
    } catch (error) {
      // what waits goes on waiting, for the next login
      this.parts.failed(error, this.account);
      this.stop();
    } finally {
      this.reading = false;
    }
  }

  private async giveAll(rows: readonly Waiting[], session: SessionView): Promise<void> {
    for (const row of rows) {
      if (this.reader !== session) return;
      const { stanzaId, wire } = row;
      this.cursor = stanzaId;
      if (wire === undefined || this.adopting.has(stanzaId)) continue;
      const step = this.give(row, wire, session);
      if (!step) continue;
      await step;
      if (this.cursor !== stanzaId) return;
    }
  }

  private give(row: Waiting, wire: string, session: SessionView): void | Promise<void> {
    const { id, bytes } = row;
    if (this.out.has(id) || this.gone.has(id)) return undefined;
    const packet = wire === '' ? undefined : restored(wire, this.account);
    if (!packet || this.had.get(id)?.includes(session) || this.parts.has(session, row)) return this.removed(id, bytes);
    return andThen(this.parts.unwanted(this.account, packet.from), unwanted =>
      unwanted ? this.removed(id, bytes) : this.handOver(id, bytes, packet, session),
    );
  }

  private handOver(id: number, bytes: number, packet: Packet, session: SessionView): void | Promise<void> {
    if (this.reader !== session) return undefined;
    this.out.set(id, bytes);
    this.outBytes += bytes;
    this.own.add(packet);
    return this.parts.deliver(packet, session, taken => this.answered(id, taken));
  }

  private answered(id: number, taken: boolean): void {
    const bytes = this.out.get(id);
    if (bytes === undefined) return;
    this.out.delete(id);
    this.outBytes -= bytes;
    if (taken) {
      this.removed(id, bytes);
      // at half of the window, not at each message
      if (this.reader && this.out.size <= WINDOW / 2) this.read();
    } else this.returned();
  }

  private removed(id: number, bytes: number): void {
    this.gone.add(id);
    this.had.delete(id);
    this.messages--;
    this.bytes -= bytes;
    this.parts.store.remove(id).then(
      () => this.forget(id),
      (error: unknown) => {
        this.parts.failed(error, this.account);
        this.again(id);
      },
    );
  }

  private forget(id: number): void {
    this.gone.delete(id);
    this.settle();
  }

  /** What could not be removed is not given again as long as the node runs; it has to be removed before that ends. */
  private again(id: number): void {
    setTimeout(() => {
      this.parts.store.remove(id).then(
        () => this.forget(id),
        (error: unknown) => {
          if (!(error instanceof StorageError && error.kind === 'closed')) this.again(id);
        },
      );
    }, AGAIN).unref();
  }

  /** Something came back: another session may be there that can have it. */
  private returned(): void {
    if (this.returning) return;
    this.returning = true;
    this.moved(this, true);
    // more come back in the same go
    setImmediate(() => {
      this.returning = false;
      const next = this.parts.sessions(this.account).find(isEligible);
      if (next && !this.reader) this.serve(next);
      else if (next) {
        this.cursor = '';
        this.read();
      }
      this.settle();
    });
  }

  /** Lets go of the mailbox when nothing is going on in it. */
  private settle(): void {
    const busy = this.reader || this.pending > 0 || this.out.size > 0 || this.gone.size > 0 || this.returning;
    if (busy) return;
    this.had.clear();
    this.moved(this, false);
  }
}
