import { Histogram } from './histogram.ts';
import type { Wire } from './wire.ts';

const END = '</message>';

/** Of this process: a server that knows messages by their origin ids knows these from those of another run. */
export const RUN = Math.floor(Math.random() * 36 ** 3)
  .toString(36)
  .padStart(3, '0');

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

/** What is said over connections, and how long it takes to be heard. Bodies begin with a stamp. */
export abstract class Talk {
  readonly latency = new Histogram();
  /** Messages read by their receivers. */
  delivered = 0;
  /** Messages written and not yet read. */
  onTheWay = 0;
  /** Stanza errors, and streams that ended. */
  errors = 0;
  firstError = '';
  protected running = false;

  /** So many messages are on the way from now on. */
  abstract start(window: number): void;
  /** Says one, as the so-many-th of a row that goes round all who talk. */
  abstract say(turn: number): void;

  /** Sends no more, and resolves when what is on the way has come, or none came for 3 seconds. */
  async stop(): Promise<void> {
    this.running = false;
    for (let quiet = 0; this.onTheWay > 0 && quiet < 30; quiet++) {
      const before = this.onTheWay;
      await new Promise(resolve => setTimeout(resolve, 100));
      if (this.onTheWay !== before) quiet = 0;
    }
  }

  /** Counts what a connection hears; what `heard` gives for a message, which ends in the text at `end`, is written to it. */
  protected listen(wire: Wire, heard: (text: string, from: number, body: number, end: number) => string): void {
    let rest = '';
    wire.onClose = () => this.fault('a connection ended');
    wire.readBy(chunk => {
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
          answers += heard(text, from, body + 6, at);
        }
        from = at + END.length;
      }
      if (answers) wire.write(answers);
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
