/* What is told of nodes and comes back: XEP-0060 12.4. */
import { Lru, type Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import type { Engine } from './engine.ts';
import type { PubsubNode } from './node.ts';
import { tellOwners, drop } from './subscribing.ts';

/** Messages, the last ones, of which it is known what they were about. */
const REMEMBERED = 20_000;
/** Subscribers to whom something could not be delivered of late. */
const COUNTED = 10_000;
/** Milliseconds without another error after which those before are forgotten. */
const FORGOTTEN = 86_400_000;

/**
 * What servers also say of those who are away, or while they cannot reach each other, so that by themselves they end nothing, though they
 * are of the type 'cancel'.
 */
const PASSING: ReadonlySet<string> = new Set(['service-unavailable', 'remote-server-not-found']);

interface Count {
  many: number;
  /** Milliseconds since 1970. */
  last: number;
}

export class Bounces {
  private readonly sent = new Lru<string, { readonly service: Jid; readonly name: string }>(REMEMBERED);
  private readonly counts = new Lru<string, Count>(COUNTED);

  /** A message about a node goes to those who are subscribed to it. */
  note(id: string, { service, name }: PubsubNode): void {
    this.sent.set(id, { service, name });
  }

  /** Whether an error is about a message from here. */
  knows({ id, to }: Packet): boolean {
    return id !== undefined && this.sent.get(id)?.service.bare === to?.bare;
  }

  /**
   * Subscriptions of an address end when it is gone, and when something came back from it again and again: `most` times, 0 for never. Of no
   * other address than the one that it was for: others may say what they want.
   */
  async came(engine: Engine, packet: Packet, most: number): Promise<void> {
    const about = this.sent.get(packet.id ?? '');
    if (!about || about.service.bare !== packet.to?.bare) return;
    const { service, name } = about;
    const { full } = packet.from;
    const key = `${service.bare} ${full} ${name}`;
    if (!isFinal(packet) && !this.isOften(key, most)) return;
    await engine.nodes.turn(service, name, async () => {
      const node = await engine.nodes.find(service, name);
      const subscription = node?.subscriptions.get(full);
      if (!node || !subscription) return;
      this.counts.delete(key);
      await drop(engine, node, [subscription.jid]);
      if (node.config.notifySub) tellOwners(engine, node, subscription.jid, 'none');
    });
  }

  private isOften(key: string, most: number): boolean {
    const now = Date.now();
    const before = this.counts.get(key);
    const count = before && now - before.last < FORGOTTEN ? before : { many: 0, last: now };
    count.many++;
    count.last = now;
    this.counts.set(key, count);
    return most > 0 && count.many >= most;
  }
}

/** Whether it says that nothing will ever arrive there. */
function isFinal({ stanza }: Packet): boolean {
  const kid = stanza.child('error', stanza.xmlns);
  if (kid === undefined) return false;
  const error = stanza.kidElement(kid);
  const condition = error.getChildElements().find(child => child.getNS() === NS.stanzaErrors && child.name !== 'text');
  if (condition === undefined || condition.name === 'gone') return condition !== undefined;
  return error.attrs.type === 'cancel' && !PASSING.has(condition.name);
}
