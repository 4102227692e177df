import type { Jid } from '../jid/index.ts';
import type { Element } from '../xml/index.ts';
import type { IqRequest } from './iq-table.ts';
import type { Packet } from './packet.ts';

/** A request whose payload is made into a tree when somebody looks. */
export class Request implements IqRequest {
  readonly packet: Packet;
  readonly type: 'get' | 'set';
  readonly to: Jid;
  readonly own: boolean;
  #payload: Element | undefined;

  constructor(packet: Packet, type: 'get' | 'set', to: Jid, own: boolean) {
    this.packet = packet;
    this.type = type;
    this.to = to;
    this.own = own;
  }

  get from(): Jid {
    return this.packet.from;
  }

  get session() {
    return this.packet.sender;
  }

  get payload(): Element {
    const { stanza } = this.packet;
    const [kid] = stanza.children();
    return (this.#payload ??= stanza.kidElement(kid!));
  }
}
