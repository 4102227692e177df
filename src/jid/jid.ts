/** An XMPP address (RFC 7622), prepared. */

/**
 * Immutable. Two that are equal are often one object, for parseJid() keeps a table, but only equals() tells.
 * Made by parseJid(); the constructor is for parts that are prepared already, and checks nothing.
 */
export class Jid {
  /** '' in the address of a domain or of something at it */
  readonly local: string;
  readonly domain: string;
  /** '' in a bare address */
  readonly resource: string;
  /** 'local@domain' or 'domain' */
  readonly bare: string;
  /** with '/resource', if there is one */
  readonly full: string;
  #wire: string | undefined;
  #bareJid: Jid | undefined;

  /** bareJid and full, when given, spare the making of what is there already. */
  constructor(local: string, domain: string, resource: string, bareJid?: Jid, full?: string) {
    this.local = local;
    this.domain = domain;
    this.resource = resource;
    this.#wire = undefined;
    if (resource === '') {
      this.bare = this.full = full ?? (local === '' ? domain : `${local}@${domain}`);
      this.#bareJid = undefined;
    } else {
      this.bare = bareJid ? bareJid.full : local === '' ? domain : `${local}@${domain}`;
      this.full = full ?? `${this.bare}/${resource}`;
      this.#bareJid = bareJid;
    }
  }

  get isBare(): boolean {
    return this.resource === '';
  }

  /** No localpart; there may be a resourcepart. */
  get isDomain(): boolean {
    return this.local === '';
  }

  /** `full` as `escape` writes it, which is asked once. */
  escaped(escape: (full: string) => string): string {
    return (this.#wire ??= escape(this.full));
  }

  toBare(): Jid {
    if (this.resource === '') return this;
    return (this.#bareJid ??= new Jid(this.local, this.domain, '', undefined, this.bare));
  }

  /** The resource must be prepared already (prepareResource()); '' makes the bare address. */
  withResource(resource: string): Jid {
    if (resource === this.resource) return this;
    const bare = this.toBare();
    return resource === '' ? bare : new Jid(this.local, this.domain, resource, bare);
  }

  equals(other: Jid): boolean {
    return this === other || this.full === other.full;
  }

  toString(): string {
    return this.full;
  }
}
