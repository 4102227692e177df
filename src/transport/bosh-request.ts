import { type BodyHead, type BodyReader, type Terminal, terminalWire } from './bosh-body.ts';
import { CONTENT, type Terms } from './bosh-terms.ts';

/** The HTTP side of a request: answered once, unless its connection went before that. */
export interface Asker {
  readonly live: boolean;
  /** Called when the connection goes before an answer was given. */
  onGone: (() => void) | undefined;
  answer(wire: string, content: string, status?: number): void;
}

/** What a request is for, besides carrying payloads. */
export type Purpose = 'creation' | 'restart' | 'pause' | 'terminate' | 'plain';

/** A request that was read whole. */
export class BoshRequest {
  readonly rid: number;
  readonly head: BodyHead;
  readonly purpose: Purpose;
  readonly payloads: readonly Buffer[];
  /** Bytes of them. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly arrived: number;
  asker: Asker;
  /** Payloads that the stream has not been given yet. */
  left = 0;
  /** How often it came again. */
  repeats = 0;

  constructor({ payloads, size }: BodyReader, head: BodyHead, asker: Asker, now: number) {
    this.rid = head.rid;
    this.head = head;
    this.payloads = payloads;
    this.size = size;
    this.asker = asker;
    this.arrived = now;
    this.purpose = purposeOf(head);
  }

  get key(): string | undefined {
    return this.head.attrs.get('key');
  }

  /** A request for what the server has to say, and nothing else: an empty one (XEP-0124 8). */
  get empty(): boolean {
    return this.purpose === 'plain' && this.payloads.length === 0;
  }

  /** XEP-0124 11: a client may have one more request open to pause or to leave. */
  get extra(): boolean {
    return this.purpose === 'pause' || this.purpose === 'terminate';
  }
}

function purposeOf({ attrs, sid, xmpp }: BodyHead): Purpose {
  if (sid === undefined) return 'creation';
  if (attrs.get('type') === 'terminate') return 'terminate';
  const restart = xmpp('restart');
  if (restart === 'true' || restart === '1') return 'restart';
  return attrs.has('pause') ? 'pause' : 'plain';
}

/** XEP-0124 17.1: what clients are told that sent no 'ver'. */
const STATUS: Partial<Record<Terminal, number>> = {
  'bad-request': 400,
  'policy-violation': 403,
  'item-not-found': 404,
};

/** Tells of an error as this client understands it; one of which nothing is known is a client of today. */
export function refuse(asker: Asker, condition: Terminal, terms?: Terms): void {
  const status = terms && terms.ver === undefined ? STATUS[condition] : undefined;
  asker.answer(terminalWire(condition), terms?.content ?? CONTENT, status);
}
