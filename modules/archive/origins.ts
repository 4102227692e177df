import { NS } from '../../src/protocol/index.ts';
import type { Stanza } from '../../src/xml/index.ts';

/**
 * A promise of its commit; or its stanza id when all that is known is that it was kept before the program began; or true when it has
 * certainly gone on.
 */
type Presence = true | string | Promise<void>;

/**
 * Messages that were kept of late, by sender, recipient and origin id (XEP-0359): a client that lost its connection sends again
 * what was not acknowledged. Bounded: between half of `most` and `most` are known.
 */
export class Origins {
  private readonly most: number;
  private young = new Map<string, Presence>();
  private old = new Map<string, Presence>();

  constructor(most: number) {
    this.most = most;
  }

  get(key: string): Presence | undefined {
    return this.young.get(key) ?? this.old.get(key);
  }

  add(key: string, presence: Presence): void {
    if (this.young.size >= this.most / 2) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, presence);
  }

  /** The commit has failed. */
  delete(key: string): void {
    this.young.delete(key);
    this.old.delete(key);
  }
}

/** Names a message by the id that the sending client gave it; undefined when it gave none. */
export function originKey(from: string, to: string, stanza: Stanza): string | undefined {
  const kid = stanza.child('origin-id', NS.stanzaIds);
  if (kid === undefined) return undefined;
  const found = / id=(?:'([^']*)'|"([^"]*)")/.exec(stanza.kidRaw(kid));
  // no JID holds a space without a resource before it
  return found ? `${from} ${to} ${found[1] ?? found[2]}` : undefined;
}
