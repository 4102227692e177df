import { FULL, type Answer, type IqRegistration, type IqTable, type Packet, Request } from '../bus/index.ts';
import type { Jid } from '../jid/index.ts';
import { refuse, StanzaError } from '../protocol/index.ts';
import type { Questions } from './questions.ts';

/** Finds the handler of a request to the server itself or to an account, and sends its answer (RFC 6120 8.2.3). */
export class IqAnswers {
  private readonly table: IqTable;
  private readonly bounce: (packet: Packet, error: StanzaError) => void;
  private readonly failure: (error: unknown, packet: Packet) => StanzaError;
  private readonly routeWire: (wire: string) => void;
  private readonly questions: Questions;

  constructor(
    table: IqTable,
    bounce: (packet: Packet, error: StanzaError) => void,
    failure: (error: unknown, packet: Packet) => StanzaError,
    routeWire: (wire: string) => void,
    questions: Questions,
  ) {
    this.table = table;
    this.bounce = bounce;
    this.failure = failure;
    this.routeWire = routeWire;
    this.questions = questions;
  }

  /** `asked` is the account or host. Answers to requests of the server's own end here. */
  answer(packet: Packet, kind: 'account' | 'host', asked: Jid): void | Promise<void> {
    const { stanza, type } = packet;
    if (type !== 'get' && type !== 'set') {
      this.questions.answered(packet);
      return undefined;
    }
    const [kid] = stanza.children();
    const registration = this.table.find(type, kind, stanza.kidName(kid!), stanza.kidXmlns(kid!));
    const own = packet.from.bare === asked.bare;
    const refused =
      !registration ||
      (registration.enabled && !registration.enabled(asked.domain)) ||
      (kind === 'account' && !own && registration.from !== 'anyone');
    if (refused) {
      this.bounce(packet, refuse('service-unavailable'));
      return undefined;
    }
    let answer: Answer | Promise<Answer>;
    try {
      answer = registration.fn(new Request(packet, type, asked, own));
    } catch (error) {
      answer = this.failure(error, packet);
    }
    if (!(answer instanceof Promise)) {
      this.send(packet, answer);
      return undefined;
    }
    // a module's handler has only so much time (src/node/modules/mod.ts)
    return answer
      .then(given => this.send(packet, given))
      .catch((error: unknown) => this.send(packet, this.failure(error, packet)));
  }

  /** Answers for an account that is not there: no other than what strangers to one that is are told. */
  answerAbsent(packet: Packet): void {
    const { stanza, type } = packet;
    if (type !== 'get' && type !== 'set') return;
    const [kid] = stanza.children();
    const { absent, enabled } =
      this.table.find(type, 'account', stanza.kidName(kid!), stanza.kidXmlns(kid!)) ?? ({} as Partial<IqRegistration>);
    const told = packet.address === FULL ? absent?.full : absent?.bare;
    if (!told || enabled?.(packet.to!.domain) === false) this.bounce(packet, refuse('service-unavailable'));
    else this.send(packet, told instanceof StanzaError ? told : told(new Request(packet, type, packet.to!, false)));
  }

  private send(packet: Packet, answer: Answer): void {
    if (answer instanceof StanzaError) {
      this.bounce(packet, answer);
      return;
    }
    const wire = packet.resultWire(answer);
    if (packet.sender) packet.sender.sendWire(wire);
    else this.routeWire(wire);
  }
}
