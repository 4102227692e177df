import type { FactName } from '../../api/module.ts';
import type { Chain, Packet, SessionView, Verdict } from '../../bus/index.ts';

/** The host whose business a stanza is at a point that stanzas pass: the sender's where it comes in, else the recipient's. */
export function hostOfStanza(point: string, packet: Packet, session: SessionView | undefined): string {
  if (point === 'received' || point === 'presence') return packet.from.domain;
  if (point === 'deliver') return session!.jid.domain;
  return packet.to?.domain ?? packet.from.domain;
}

/**
 * The host of what begins or passes; undefined for facts that are told on any host: what has begun must be able to end, and an
 * account's data go wherever a module is on by now.
 */
export function hostOfFact(fact: FactName, subject: unknown, other: unknown): string | undefined {
  switch (fact) {
    case 'bound':
      return (subject as SessionView).jid.domain;
    case 'sent':
      return (other as SessionView).jid.domain;
    case 'taken':
      return (subject as Packet).to?.domain;
    default:
      return undefined;
  }
}

type Handler = (packet: Packet, session: SessionView) => Verdict | Promise<Verdict>;

/** A handler of a module at a point, asked for stanzas of all hosts, or of those only where the module is on. */
export class Placed {
  private readonly chain: Chain<SessionView>;
  private readonly registration: Parameters<Chain<SessionView>['add']>[0];
  private readonly bare: Handler;
  private readonly guarded: Handler;
  readonly remove: () => void;

  constructor(
    chain: Chain<SessionView>,
    registration: Parameters<Chain<SessionView>['add']>[0],
    enabled: (host: string) => boolean,
    everywhere: boolean,
  ) {
    const { fn } = registration;
    this.chain = chain;
    this.bare = fn;
    this.guarded = (packet, session) =>
      enabled(hostOfStanza(chain.name, packet, session)) ? fn(packet, session) : undefined;
    this.registration = { ...registration, fn: everywhere ? this.bare : this.guarded };
    this.remove = chain.add(this.registration);
  }

  set everywhere(value: boolean) {
    this.chain.swap(this.registration, value ? this.bare : this.guarded);
  }
}
