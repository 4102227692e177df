import { type Mod, type SessionView, type Slot, wireJid } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';
import { timeOf } from './key.ts';
import { type Kept, SENT } from './store.ts';

/** Bytes of results that a client may have before it took those before them. */
const AHEAD = 256 * 1024;
/** Bytes after which a client is asked, as it were, whether it took them. */
const STRETCH = 64 * 1024;
/** ms that a query waits for its client, all in all: an answer has no more than half a minute. The rest of the page is sent behind that. */
const PATIENCE = 15_000;

/** What a client was sent and has not taken, and who waits for that. */
export class Pace {
  private ahead = 0;
  private waiting: (() => void)[] = [];
  /** Whether a query of its was begun in this turn of the event loop. */
  private begun = false;

  /** Resolved when the next query may begin: one a turn, so that others have theirs. */
  async begin(): Promise<void> {
    while (this.begun) await tick();
    this.begun = true;
    setImmediate(() => (this.begun = false));
  }

  sent(bytes: number): void {
    this.ahead += bytes;
  }

  took(bytes: number): void {
    this.ahead -= bytes;
    if (!this.isAhead) this.release();
  }

  get isAhead(): boolean {
    return this.ahead > AHEAD;
  }

  /** Resolved when more may be sent, in so many milliseconds at the latest. */
  async turn(patience: number): Promise<void> {
    if (patience <= 0) return;
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, patience);
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Nobody waits any more: the client has lost its connection, and whoever resumes its session waits for what it asked. */
  release(): void {
    for (const go of this.waiting.splice(0)) go();
  }
}

/** What the clients of all sessions were sent and have not taken. */
export function paces(mod: Pick<Mod, 'perSession' | 'when'>): Slot<Pace> {
  const slot = mod.perSession(() => new Pace());
  mod.when('detached', session => slot.get(session).release());
  return slot;
}

const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** A text in one piece: one that was put together is copied piece by piece wherever it is part of another. */
function flat(wire: string): string {
  // who looks at a character of it has V8 put it together, for good
  return wire.charCodeAt(0) === 0 ? '' : wire;
}
const FORWARDED = flat(`'><forwarded xmlns='${NS.forward}'><delay xmlns='${NS.delay}' stamp='`);
const MESSAGE = `'/><message xmlns='${NS.client}'`;
const END = '</forwarded></result></message>';

/** The results of one query, on their way to a client no faster than it takes them. */
export class Results {
  private readonly session: SessionView;
  private readonly pace: Pace;
  private readonly open: string;
  private readonly result: string;
  private readonly head: string;
  private readonly shown: ((stanza: string) => string) | undefined;
  private readonly until = performance.now() + PATIENCE;
  private bytes = 0;
  /** The next one, which is sent when another follows or none does. */
  private last: string | undefined;

  constructor(
    session: SessionView,
    owner: Jid,
    queryId: string | undefined,
    pace: Pace,
    shown?: (stanza: string) => string,
  ) {
    this.session = session;
    this.shown = shown;
    this.pace = pace;
    this.result = flat(
      `<result xmlns='${NS.mam}'${queryId === undefined ? '' : wireAttribute('queryid', queryId)} id='`,
    );
    this.open = flat(`<message from='${wireJid(owner)}' to='${wireJid(session.jid)}'>`);
    this.head = flat(this.open + this.result);
  }

  /** XEP-0313 4.2. */
  add({ id, key, stanza: kept }: Kept): void {
    const stanza = this.shown ? this.shown(kept) : kept;
    this.put(this.head + id + FORWARDED + stampOf(key) + MESSAGE + stanza.slice(8) + END);
  }

  /** Other markup (a wire string), and a message behind it. */
  addBehind(markup: string, message: Kept | undefined): void {
    const { open, result } = this;
    if (!message) this.put(`${open}${markup}</message>`);
    else {
      const { id, key, stanza } = message;
      this.put(open + markup + result + id + FORWARDED + stampOf(key) + MESSAGE + stanza.slice(8) + END);
    }
  }

  private put(stanza: string): void {
    if (this.last !== undefined) this.session.sendWire(this.last);
    this.last = stanza;
    this.bytes += stanza.length;
  }

  /** As `add`, and waits when the client is behind. */
  async one(message: Kept): Promise<void> {
    this.add(message);
    if (this.bytes >= STRETCH) await this.flush();
  }

  async all(messages: readonly Kept[]): Promise<void> {
    for (const message of messages) {
      this.add(message);
      if (this.bytes >= STRETCH) await this.flush();
    }
    await this.end();
  }

  /** Sends what was added last, before the answer that follows in the same write. */
  async end(): Promise<void> {
    this.send();
    await this.turn();
  }

  /** Sends what was added; waits when the client is behind, and lets others have a turn. */
  async flush(): Promise<void> {
    this.send();
    await tick();
    await this.turn();
  }

  private async turn(): Promise<void> {
    const { pace, session, until } = this;
    if (pace.isAhead && session.connected) await pace.turn(until - performance.now());
  }

  private send(): void {
    const { last, bytes, pace } = this;
    if (last === undefined) return;
    this.last = undefined;
    this.bytes = 0;
    if (bytes < STRETCH) this.session.sendWire(last);
    else {
      // that the last of them was taken says that all were
      pace.sent(bytes);
      this.session.sendWire(last, () => pace.took(bytes));
    }
  }
}

const DAY = 86_400_000;
const digits = (number: number, length: number): string => String(number).padStart(length, '0');
const MINUTES = Array.from({ length: 1440 }, (_, i) => `${digits(Math.floor(i / 60), 2)}:${digits(i % 60, 2)}:`);
const SECONDS = Array.from({ length: 60 }, (_, i) => digits(i, 2));
const MILLISECONDS = Array.from({ length: 1000 }, (_, i) => `.${digits(i, 3)}Z`);
/** The last day that was written: those of a page are mostly the same. */
let today = { day: Number.NaN, text: '' };

/** When a message was taken in, as XEP-0203 and XEP-0082 write it: what `toISOString` does, in a fifth of its time. */
export function stampOf(key: number): string {
  const time = timeOf(key);
  const day = Math.floor(time / DAY);
  if (day !== today.day) today = { day, text: new Date(day * DAY).toISOString().slice(0, 11) };
  const rest = time - day * DAY;
  const minute = Math.floor(rest / 60_000);
  const milliseconds = rest - minute * 60_000;
  // up to twelve characters are put together at once, what is longer is kept as its pieces
  const clock = MINUTES[minute]! + SECONDS[Math.floor(milliseconds / 1000)]!;
  return today.text + clock + MILLISECONDS[milliseconds % 1000]!;
}

/** Whether a message went to, or came from, that full JID (XEP-0313 4.1.1). */
export function isWith(jid: Jid): (message: Kept) => boolean {
  const from = `<message from='${wireJid(jid)}' `;
  const to = ` to='${wireJid(jid)}'`;
  const own = (stanza: string): boolean => stanza.startsWith(to, stanza.indexOf("'", FROM) + 1);
  return ({ flags, stanza }) => ((flags & SENT) === 0 ? stanza.startsWith(from) : own(stanza));
}

const FROM = "<message from='".length;
