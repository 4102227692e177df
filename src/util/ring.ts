/** A first-in first-out queue on an array that wraps around; empty ones hold no array. */
export class Ring<T> {
  #items: (T | undefined)[] | undefined;
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    const items = (this.#items ??= new Array<T | undefined>(8));
    if (this.#size === items.length) this.#grow(items);
    this.#items[(this.#head + this.#size) & (this.#items.length - 1)] = item;
    this.#size++;
  }

  /** The item at a distance from the oldest. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.#size) return undefined;
    return this.#items![(this.#head + index) & (this.#items!.length - 1)];
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const items = this.#items!;
    const item = items[this.#head];
    items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (items.length - 1);
    // what a burst once took is given back
    if (--this.#size === 0 && items.length > 64) this.clear();
    return item;
  }

  clear(): void {
    this.#items = undefined;
    this.#head = this.#size = 0;
  }

  #grow(items: (T | undefined)[]): void {
    const grown = new Array<T | undefined>(items.length * 2);
    for (let i = 0; i < this.#size; i++) grown[i] = items[(this.#head + i) & (items.length - 1)];
    this.#items = grown;
    this.#head = 0;
  }
}
