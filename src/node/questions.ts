import { randomBytes } from 'node:crypto';
import type { Question } from '../api/node-view.ts';
import { Packet } from '../bus/index.ts';
import { xml } from '../xml/index.ts';

interface Open {
  readonly question: Question;
  readonly settle: (answer: Packet | undefined) => void;
}

/** Requests of the server's own, and the answers to them (RFC 6120 8.2.3). */
export class Questions {
  private readonly route: (packet: Packet) => void | Promise<void>;
  private readonly open = new Map<string, Open>();

  constructor(route: (packet: Packet) => void | Promise<void>) {
    this.route = route;
  }

  ask(question: Question, patience: number): Promise<Packet | undefined> {
    const { type, from, to, payload } = question;
    // nobody else can answer a question whose id is not known
    const id = randomBytes(12).toString('base64url');
    return new Promise(resolve => {
      const settle = (answer: Packet | undefined): void => {
        clearTimeout(timer);
        this.open.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(settle, patience, undefined).unref();
      this.open.set(id, { question, settle });
      try {
        const way = this.route(Packet.of(xml('iq', { type, id }, payload), from, to));
        // whoever failed has said so
        way?.catch(() => settle(undefined));
      } catch {
        settle(undefined);
      }
    });
  }

  /** A result or an error came. What nobody has asked is ignored. */
  answered(packet: Packet): void {
    const open = packet.id === undefined ? undefined : this.open.get(packet.id);
    if (!open || open.question.to.full !== packet.from.full || open.question.from.full !== packet.to?.full) return;
    open.settle(packet);
  }
}
