import type { Waiting } from '../util/portions.ts';
import type { ClientStream } from './client-stream.ts';
import { portionTaken, workOf } from './portion.ts';
import { RateGauge } from './rate.ts';

/** Why a stream is not read at the moment; it is read again when no reason is left. */
export const HOLD_INBOX = 1; // its session's inbox is full
export const HOLD_ANSWER = 4; // an answer is on its way
const HOLD_RATE = 2; // it sent more than its rate
const HOLD_TURN = 8; // it is the others' turn
const HOLD_OUTPUT = 16; // its client does not read what it is answered
const HOLD_LOGIN = 32; // many log in, and it is the others' turn

/** Bytes of answers that a client may leave unread before it is read no more itself. */
const UNREAD = 64 * 1024;

/** Whether a stream is read: the reasons why it is not, and what of them is counted here. */
export class Reading implements Waiting {
  private readonly stream: ClientStream;
  private reasons = 0;
  private rate: RateGauge | undefined;
  /** Work done of the portion at hand. */
  private portion = 0;

  constructor(stream: ClientStream) {
    this.stream = stream;
  }

  get held(): boolean {
    return this.reasons !== 0;
  }

  hold(reason: number): void {
    if (this.reasons === 0) {
      const { scanner, connection } = this.stream;
      scanner.hold();
      connection.pause();
    }
    this.reasons |= reason;
  }

  release(reason: number): void {
    if ((this.reasons & reason) === 0) return;
    this.reasons &= ~reason;
    const { stream } = this;
    if (this.reasons !== 0 || stream.state === 'closed') return;
    stream.connection.resume();
    stream.scanner.release();
    stream.frames?.resume(stream.scanner);
    if (!stream.session) stream.connection.flush();
  }

  /** Bytes came before there is a session: they may have to wait for their turn. */
  receivedEarly(): void {
    const { logins } = this.stream.env;
    if (this.reasons !== 0 || logins.free()) return;
    this.hold(HOLD_LOGIN);
    logins.wait(this);
  }

  proceed(): void {
    this.release(HOLD_LOGIN);
  }

  /** The stream has a session, which may send as much as the limits say now. */
  limit(): void {
    this.rate = RateGauge.of(this.stream.env.limits);
  }

  /** Bytes came, and with them a new portion. A sender above its rate is not refused: it is read later. */
  received(bytes: number): void {
    this.portion = 0;
    if (this.rate?.take(bytes)) this.pause(this.rate.pause);
  }

  /** A stanza came. A flood is read in portions, so that nobody waits for the end of it. */
  receivedStanza(length: number): void {
    const work = workOf(length);
    this.portion += work;
    if (portionTaken(work, this.portion)) this.yieldTurn();
    if (this.rate?.takeStanza()) this.pause(this.rate.pause);
  }

  /** Something was answered. What a client asks for and does not read is not kept without bound: it is not read until it reads. */
  answered(): void {
    const { connection, state } = this.stream;
    if (connection.backlog > UNREAD && state !== 'closed') this.hold(HOLD_OUTPUT);
  }

  /** All that was written has been taken. */
  drained(): void {
    this.release(HOLD_OUTPUT);
  }

  private yieldTurn(): void {
    if ((this.reasons & HOLD_TURN) !== 0) return;
    this.hold(HOLD_TURN);
    setImmediate(() => {
      this.portion = 0;
      this.release(HOLD_TURN);
    });
  }

  private pause(milliseconds: number): void {
    if ((this.reasons & HOLD_RATE) !== 0) return;
    this.hold(HOLD_RATE);
    setTimeout(() => this.release(HOLD_RATE), milliseconds).unref();
  }
}
