/**
 * That a message is safe: a client of its recipient has it, or storage does. Its sender's acknowledgement waits for that (XEP-0198).
 * One for all sessions that are sent the message.
 */
export class Safety {
  readonly reached: Promise<void>;
  private resolve: (() => void) | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.reached = promise;
    this.resolve = resolve;
  }

  get isReached(): boolean {
    return this.resolve === undefined;
  }

  reach(): void {
    this.resolve?.();
    this.resolve = undefined;
  }
}
