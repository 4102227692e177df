import { type NodeView, type Packet, type Slot, StorageError } from '../../src/api/index.ts';
import { StanzaError } from '../../src/protocol/index.ts';

/**
 * Messages that go on when they are committed. Their sender's next messages need not wait for that, and go into the same commit; but
 * what is not kept may not overtake what is (RFC 6120 10.1).
 */
export class Passage {
  private readonly node: NodeView;
  private readonly ofSession: Slot<Promise<void> | undefined>;
  /** Of senders that have no session here, by their bare JIDs. */
  private readonly ofOthers = new Map<string, Promise<void>>();

  private readonly committed: (packet: Packet) => void;

  /** `committed` is told of each message before it goes on. */
  constructor(
    node: NodeView,
    ofSession: Slot<Promise<void> | undefined>,
    committed: (packet: Packet) => void = () => {},
  ) {
    this.node = node;
    this.ofSession = ofSession;
    this.committed = committed;
  }

  /** Settled when all that the sender of a stanza has sent before has gone on; undefined when it has. */
  before({ sender, from }: Packet): Promise<void> | undefined {
    if (sender) return this.ofSession.get(sender);
    return this.ofOthers.size === 0 ? undefined : this.ofOthers.get(from.bare);
  }

  /** Sends a message on its way once it is committed; what cannot be stored is answered. Until then it is not acknowledged. */
  after(packet: Packet, committed: Promise<void>): void {
    const { sender, from } = packet;
    const before = this.before(packet);
    const done = (): void => {
      if (sender) {
        if (this.ofSession.get(sender) === gone) this.ofSession.set(sender, undefined);
      } else if (this.ofOthers.get(from.bare) === gone) this.ofOthers.delete(from.bare);
    };
    const go = (): void | Promise<void> => {
      this.committed(packet);
      const step = this.node.proceed(packet);
      if (step) return step.then(done);
      done();
      return undefined;
    };
    const refuse = (error: unknown): void => {
      this.refuse(packet, error);
      done();
    };
    const ready: Promise<unknown> = before ? Promise.all([before, committed]) : committed;
    const gone: Promise<void> = ready.then(go, refuse);
    if (sender) this.ofSession.set(sender, gone);
    else this.ofOthers.set(from.bare, gone);
    packet.hold(gone);
  }

  /** What cannot be stored is answered. */
  refuse(packet: Packet, error: unknown): void {
    this.node.bounce(packet, refusal(error));
  }
}

/** The storage has said in the log what it is (RFC 6120 8.3.3.18, 8.3.3.7). */
function refusal(error: unknown): StanzaError {
  const full = error instanceof StorageError && error.kind === 'full';
  return new StanzaError(full ? 'resource-constraint' : 'internal-server-error', {
    type: 'wait',
    text: 'The server cannot store it now. Try again later.',
  });
}
