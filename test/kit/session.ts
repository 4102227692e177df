import type { Connection } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { StreamError } from '../../src/protocol/index.ts';
import type { SessionOwner, SessionStream } from '../../src/session/owner.ts';
import { Session } from '../../src/session/session.ts';
import type { User } from '../../src/session/users.ts';
import type { Element } from '../../src/xml/index.ts';
import { until } from './wait.ts';
import { readStanzas } from './wire.ts';

/** The end of a stream that a test looks at: a client that takes everything at once, unless it is frozen. */
class TestConnection implements Connection {
  readonly transport = 'tcp';
  readonly address = '192.0.2.1';
  readonly secured = true;
  readonly framed = false;
  readonly serverName = undefined;
  backlog = 0;
  written = 0;
  frozen = false;
  paused = false;
  readonly writes: string[] = [];

  write(wire: string): void {
    this.written += wire.length;
    if (this.frozen) this.backlog += wire.length;
    else this.writes.push(wire);
  }

  flush(): void {}
  end(): void {}
  destroy(): void {}
  startTls(): void {}

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  channelBinding(): undefined {
    return undefined;
  }
}

class TestStream implements SessionStream {
  readonly connection = new TestConnection();
  error: StreamError | undefined;

  fail(error: StreamError): void {
    this.error = error;
  }

  abandon(): void {}

  hold(): void {
    this.connection.pause();
  }

  release(): void {
    this.connection.resume();
  }
}

/** A session of the real kind, whose client is the test. */
export class KitSession extends Session {
  #test = new TestStream();
  #read = 0;
  #all: Element[] = [];
  #taken = 0;

  constructor(id: string, jid: Jid, user: User, owner: SessionOwner) {
    super(id, jid, user, owner, false);
    this.attach(this.#test, undefined);
  }

  /** All stanzas that its client has been sent so far, those before a reconnection included. Nonzas are left out. */
  get sent(): readonly Element[] {
    this.flush();
    const { writes } = this.#test.connection;
    const fresh = readStanzas(Buffer.from(writes.slice(this.#read).join(''), 'latin1'));
    this.#read = writes.length;
    this.#all.push(...fresh.filter(stanza => stanza.xmlns === 'jabber:client').map(stanza => stanza.element()));
    return this.#all;
  }

  /** What has been sent since the last call of `fresh` or `next`, perhaps nothing. */
  fresh(): Element[] {
    const fresh = this.sent.slice(this.#taken);
    this.#taken = this.#all.length;
    return fresh;
  }

  /** The next stanza that `next` or `fresh` has not given yet; waits for it. */
  async next(): Promise<Element> {
    const stanza = await until(() => this.sent[this.#taken], `a stanza for ${this.jid.full}`);
    this.#taken++;
    return stanza;
  }

  /** The stream error that its stream was closed with. */
  get error(): StreamError | undefined {
    return this.#test.error;
  }

  /** Takes no more bytes: what is sent to it waits. */
  freeze(): void {
    this.#test.connection.frozen = true;
  }

  /** Loses its connection. It ends, unless it agreed on resumption (`enable`). */
  cut(): void {
    this.disconnect(this.#test);
  }

  /** A new connection for a session that was cut; the client has handled `h` stanzas (XEP-0198 5). */
  resume(h: number): boolean {
    void this.sent;
    this.#test = new TestStream();
    this.#read = 0;
    return this.takeOver(this.#test, h, undefined);
  }
}
