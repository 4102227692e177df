/** Things that modules declare and others read: disco features, stream features, commands, routes. */
export class Collection<T> {
  readonly name: string;
  #items: { owner: string; item: T }[] = [];
  /** Grows with every change, for those who cache what they made of the items. */
  version = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Adds an item; the function returned takes it away again. */
  add(owner: string, item: T): () => void {
    const entry = { owner, item };
    this.#items = [...this.#items, entry];
    this.version++;
    return () => {
      this.#items = this.#items.filter(e => e !== entry);
      this.version++;
    };
  }

  get entries(): readonly { owner: string; item: T }[] {
    return this.#items;
  }

  /** The items of modules that are on for this host. */
  *items(enabled: (owner: string) => boolean = () => true): Generator<T> {
    for (const { owner, item } of this.#items) if (enabled(owner)) yield item;
  }
}
