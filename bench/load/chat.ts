import { RUN, stamp, Talk } from './talk.ts';
import type { Wire } from './wire.ts';

/** One end of a chat: a connection and what its messages to the other end begin with. */
export interface End {
  readonly wire: Wire;
  /** The other end's full JID. */
  readonly peer: string;
}

/** The body is a stamp of 14 digits and this: 60 bytes. */
const FILLER = ' good morrow, cousin; is the day so young? ai me'.slice(0, 46).padEnd(46, '.');

/** A chat message as a common client writes it: XEP-0184 receipt request, XEP-0359 origin-id. */
export function message(to: string, id: string, body: string): string {
  return (
    `<message to='${to}' type='chat' id='${id}'><body>${body}</body><request xmlns='urn:xmpp:receipts'/>` +
    `<origin-id xmlns='urn:xmpp:sid:0' id='${id}'/></message>`
  );
}

/**
 * Pairs that chat in a closed loop: who gets a message answers it with one, so that each pair always has the same
 * number on the way (the window).
 */
export class Chat extends Talk {
  private sent = 0;
  private readonly receipts: boolean;
  readonly pairs: readonly (readonly [End, End])[];

  constructor(pairs: readonly (readonly [End, End])[], receipts: boolean) {
    super();
    this.pairs = pairs;
    this.receipts = receipts;
    for (const end of pairs.flat()) {
      this.listen(end.wire, (text, from, _body, to) => {
        const answer = this.receipts ? receipt(end.peer, text.slice(from, to)) : '';
        return this.running ? answer + this.next(end) : answer;
      });
    }
  }

  start(window: number): void {
    this.running = true;
    for (const pair of this.pairs) for (let i = 0; i < window; i++) this.speak(pair[i % 2]!);
  }

  say(turn: number): void {
    const { length } = this.pairs;
    this.speak(this.pairs[turn % length]![Math.floor(turn / length) % 2]!);
  }

  private speak(end: End): void {
    end.wire.write(this.next(end));
  }

  private next(end: End): string {
    this.onTheWay++;
    const id = `m${RUN}${(this.sent++).toString(36).padStart(6, '0')}`;
    return message(end.peer, id, stamp() + FILLER);
  }
}

/** XEP-0184 5.4. */
function receipt(to: string, stanza: string): string {
  const id = /\bid=['"]([^'"]*)['"]/.exec(stanza)?.[1] ?? '';
  return `<message to='${to}' type='chat' id='r${id}'><received xmlns='urn:xmpp:receipts' id='${id}'/></message>`;
}
