import type { Jid } from '../../src/jid/index.ts';

/** What one account has blocked. Immutable. */
export class Blocklist {
  /** Nobody: the list of nearly every account. */
  static readonly NONE = new Blocklist([]);
  readonly jids: readonly Jid[];
  readonly #texts: ReadonlySet<string>;

  constructor(jids: readonly Jid[]) {
    this.jids = jids;
    this.#texts = new Set(jids.map(jid => jid.full));
  }

  static of(jids: readonly Jid[]): Blocklist {
    return jids.length === 0 ? Blocklist.NONE : new Blocklist(jids);
  }

  /**
   * XEP-0191 5: an entry with a resource matches that resource, a bare one every resource, a domain itself and everyone there;
   * `domain/resource` only itself.
   */
  matches(jid: Jid): boolean {
    const texts = this.#texts;
    if (texts.size === 0) return false;
    return texts.has(jid.full) || texts.has(jid.bare) || texts.has(jid.domain);
  }
}
