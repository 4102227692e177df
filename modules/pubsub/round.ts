import { currentUnit, type NodeView, type Packet, type Unit, type UnitListener } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

type Step = void | Promise<void>;

/**
 * One event on its way to all who are to know of it. What is sent at once is part of the unit that it is stored in; what is sent later, and
 * what leaves this server, goes behind that, and nothing does where that fails.
 */
export class Round implements UnitListener {
  private readonly node: NodeView;
  private readonly event: Packet;
  private readonly unit: Unit | undefined;
  private failed = false;
  /** Units that what is sent is part of, and that are not settled. */
  private open = 0;
  private whenSafe: (() => void) | undefined;

  constructor(node: NodeView, event: Packet, unit: Unit | undefined) {
    this.node = node;
    this.event = event;
    this.unit = unit;
    unit?.whenSettled(this);
  }

  unitSettled(unit: Unit, error: unknown): void {
    if (unit === this.unit) this.failed = error !== undefined;
    else if (unit.further) void unit.further.then(this.close, this.close);
    else this.close();
  }

  private readonly close = (): void => {
    if (--this.open === 0) this.whenSafe?.();
  };

  /** Sends a copy. `elsewhere`: to where it cannot be withdrawn from. */
  send(to: Jid, send: (copy: Packet) => Step, elsewhere = false): Step {
    const { unit } = this;
    if (unit?.pending && (elsewhere || currentUnit() !== unit))
      return unit.done().then(() => this.send(to, send, elsewhere));
    if (this.failed) return undefined;
    return this.node.together(this.event, () => {
      const own = currentUnit();
      if (own && own !== unit && own.pending) {
        this.open++;
        own.whenSettled(this);
      }
      return send(this.event.readdressed(to));
    });
  }

  /** Resolved when all that was sent is safe; nothing where it is. */
  safe(): Step {
    if (this.open === 0) return undefined;
    return new Promise(resolve => {
      this.whenSafe = resolve;
    });
  }
}
