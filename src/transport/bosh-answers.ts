/** A response that was given. */
export interface Answer {
  readonly rid: number;
  /** The key of its request: who asks again has it. */
  readonly key: string | undefined;
  readonly wire: string;
  /** Bytes that the stream wrote and that it carries. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * The last responses of a session, for a client that lost one (XEP-0124 14.3), and which of them it has: what is in the others is not
 * taken yet.
 */
export class Answers {
  readonly #size: number;
  #kept: Answer[] = [];
  #received = 0;
  #unreceived = 0;

  /** `size`: as many requests as the client may have open. */
  constructor(size: number) {
    this.#size = size;
  }

  give(answer: Answer): void {
    this.#kept.push(answer);
    // one more than XEP-0124 14.3 says: the client may have had one more open, to pause or to leave
    if (this.#kept.length > this.#size + 1) this.#kept.shift();
    this.#unreceived += answer.bytes;
  }

  find(rid: number): Answer | undefined {
    return this.#kept.find(answer => answer.rid === rid);
  }

  get last(): Answer | undefined {
    return this.#kept.at(-1);
  }

  /** Bytes of responses that the client is not known to have. */
  get unreceived(): number {
    return this.#unreceived;
  }

  /** The client has the responses up to that of this request. */
  receivedUpTo(rid: number): void {
    if (rid <= this.#received) return;
    this.#received = rid;
    if (this.#unreceived === 0) return;
    this.#unreceived = 0;
    for (const answer of this.#kept) if (answer.rid > rid) this.#unreceived += answer.bytes;
  }
}
