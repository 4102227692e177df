import { createHash } from 'node:crypto';

/** The key sequence of a session that is not protected otherwise: XEP-0124 15. Each key is the SHA-1 of the next one. */
export class KeySequence {
  private hash: string | undefined;

  /** `newkey` of the first request; without one there are no keys in the session. */
  constructor(newkey: string | undefined) {
    this.hash = newkey?.toLowerCase();
  }

  /** Takes the keys of the next request in the order of rids. False when it is not of whoever began the session. */
  accept(key: string | undefined, newkey: string | undefined): boolean {
    if (this.hash === undefined) return true;
    if (key === undefined || createHash('sha1').update(key).digest('hex') !== this.hash) return false;
    this.hash = (newkey ?? key).toLowerCase();
    return true;
  }
}
