/* IQs from one occupant to another, which the room passes on: XEP-0045 6.6, 17.4; and those to oneself: XEP-0410. */
import { randomBytes } from 'node:crypto';
import { type Answer, Empty, Lru, type NodeView, Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';
import type { Room } from './room.ts';

/** Requests that wait for their answer at the same time; the oldest are forgotten. */
const WAITING = 10_000;

/** A request that was passed on. */
interface Passed {
  /** Its id at the client that sent it. */
  readonly id: string;
  readonly from: Jid;
  /** The address of the occupant that was asked. */
  readonly asked: Jid;
  /** Whom it was passed on to. */
  readonly to: Jid;
}

/** Requests on their way between occupants: neither learns the address of the other. */
export class PassedIqs {
  private readonly waiting = new Lru<string, Passed>(WAITING);
  private readonly node: NodeView;
  private readonly prefix = randomBytes(6).toString('base64url');
  private made = 0;

  constructor(node: NodeView) {
    this.node = node;
  }

  /** A request to somebody in a room. Undefined: it was passed on, and the answer comes by itself. */
  ask(room: Room, packet: Packet): Answer | undefined {
    const client = room.occupants.client(packet.from);
    const { stanza } = packet;
    const [kid] = stanza.children();
    const xmlns = stanza.kidXmlns(kid!);
    if (!client) {
      // 6.6; XEP-0410 3.2
      const text = 'Only who is in the room can ask somebody in it.';
      const by = room.jid.full;
      if (xmlns === NS.discoInfo || xmlns === NS.discoItems) return new StanzaError('bad-request', { text, by });
      return new StanzaError('not-acceptable', { type: 'cancel', text, by });
    }
    const to = room.occupants.named(packet.to!.resource);
    if (!to) return refuse('item-not-found', 'Nobody in the room has that nickname.').saidBy(room.jid.full);
    // XEP-0410 4
    if (to === client.occupant && packet.type === 'get' && stanza.isKid(kid!, 'ping', NS.ping)) return Empty;
    // a vCard is the account's, which its server answers for (XEP-0054 3)
    const target = xmlns === NS.vcard && packet.type === 'get' ? to.account : to.shown.jid;
    const id = `${this.prefix}${++this.made}`;
    this.waiting.set(id, { id: packet.id!, from: packet.from, asked: packet.to!, to: target });
    this.forward(packet, client.occupant.address, target, id);
    return undefined;
  }

  /** An answer from somebody in a room. */
  answered(packet: Packet): void {
    const passed = packet.id === undefined ? undefined : this.waiting.get(packet.id);
    if (!passed || passed.to.full !== packet.from.full) return;
    this.waiting.delete(packet.id!);
    this.forward(packet, passed.asked, passed.from, passed.id);
  }

  private forward({ stanza, type }: Packet, from: Jid, to: Jid, id: string): void {
    const head = `<iq type='${type}'${wireAttribute('id', id)}`;
    const { inner } = stanza;
    void this.node.route(Packet.fromWire(inner === '' ? `${head}/>` : `${head}>${inner}</iq>`, from, to));
  }
}
