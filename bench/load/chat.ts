import { Histogram } from './histogram.ts';
import type { Wire } from './wire.ts';

/** One end of a chat: a connection and what its messages to the other end begin with. */
export interface End {
  readonly wire: Wire;
  /** The other end's full JID. */
  readonly peer: string;
}

const END = '</message>';
/** Of this process: a server that knows messages by their origin ids knows these from those of another run. */
const RUN = Math.floor(Math.random() * 36 ** 3)
  .toString(36)
  .padStart(3, '0');
/** The body is a stamp of 14 digits and this: 60 bytes. */
const FILLER = ' good morrow, cousin; is the day so young? ai me'.slice(0, 46).padEnd(46, '.');

/** A chat message as a common client writes it: XEP-0184 receipt request, XEP-0359 origin-id. */
export function message(to: string, id: string, body: string): string {
  return (
    `<message to='${to}' type='chat' id='${id}'><body>${body}</body><request xmlns='urn:xmpp:receipts'/>` +
    `<origin-id xmlns='urn:xmpp:sid:0' id='${id}'/></message>`
  );
}

/** The time as 14 digits: microseconds of this process. */
export function stamp(): string {
  return Math.round(performance.now() * 1000)
    .toString()
    .padStart(14, '0');
}

/** Milliseconds since the stamp at this place. */
export function age(text: string, at: number): number {
  return performance.now() - Number(text.slice(at, at + 14)) / 1000;
}

/**
 * Pairs that chat in a closed loop: who gets a message answers it with one, so that each pair always has the same
 * number on the way (the window).
 */
export class Chat {
  readonly latency = new Histogram();
  /** Messages read by their receivers. */
  delivered = 0;
  /** Messages written and not yet read. */
  onTheWay = 0;
  /** Stanza errors, and streams that ended. */
  errors = 0;
  firstError = '';
  private running = false;
  private sent = 0;
  private readonly receipts: boolean;
  readonly pairs: readonly (readonly [End, End])[];

  constructor(pairs: readonly (readonly [End, End])[], receipts: boolean) {
    this.pairs = pairs;
    this.receipts = receipts;
    for (const [one, other] of pairs) {
      this.listen(one);
      this.listen(other);
    }
  }

  start(window: number): void {
    this.running = true;
    for (const pair of this.pairs) for (let i = 0; i < window; i++) this.say(pair[i % 2]!);
  }

  /** Sends no more, and resolves when what is on the way has come, or none came for 3 seconds. */
  async stop(): Promise<void> {
    this.running = false;
    for (let quiet = 0; this.onTheWay > 0 && quiet < 30; quiet++) {
      const before = this.onTheWay;
      await new Promise(resolve => setTimeout(resolve, 100));
      if (this.onTheWay !== before) quiet = 0;
    }
  }

  say(end: End): void {
    end.wire.write(this.next(end));
  }

  private next(end: End): string {
    this.onTheWay++;
    const id = `m${RUN}${(this.sent++).toString(36).padStart(6, '0')}`;
    return message(end.peer, id, stamp() + FILLER);
  }

  private listen(end: End): void {
    let rest = '';
    end.wire.onClose = () => this.fault('a connection ended');
    end.wire.readBy(chunk => {
      const text = rest + chunk;
      let from = 0;
      let answers = '';
      for (;;) {
        const at = text.indexOf(END, from);
        if (at < 0) break;
        const body = text.indexOf('<body>', from);
        if (body >= 0 && body < at) {
          this.latency.add(age(text, body + 6));
          this.delivered++;
          this.onTheWay--;
          if (this.receipts) answers += receipt(end.peer, text.slice(from, at));
          if (this.running) answers += this.next(end);
        }
        from = at + END.length;
      }
      if (answers) end.wire.write(answers);
      if (text.includes("type='error'") || text.includes('type="error"') || text.includes('<stream:error'))
        this.fault(text);
      rest = text.slice(from);
      // Presence and the like, which nobody here waits for.
      if (from === 0 && rest.length > 8192) rest = rest.slice(-4096);
    });
  }

  private fault(text: string): void {
    this.errors++;
    this.firstError ||= text.slice(0, 400);
  }
}

/** XEP-0184 5.4. */
function receipt(to: string, stanza: string): string {
  const id = /\bid=['"]([^'"]*)['"]/.exec(stanza)?.[1] ?? '';
  return `<message to='${to}' type='chat' id='r${id}'><received xmlns='urn:xmpp:receipts' id='${id}'/></message>`;
}
