/** Messages of a session that were eligible, of late: an error that answers one of them is copied too (XEP-0280 6.1). */
export class SentIds {
  static readonly MAX = 64;
  #ids = new Set<string>();

  add(id: string, to: string): void {
    this.#ids.add(`${id} ${to}`);
    if (this.#ids.size > SentIds.MAX) for (const oldest of this.#ids) return void this.#ids.delete(oldest);
  }

  has(id: string, to: string): boolean {
    return this.#ids.has(`${id} ${to}`);
  }
}
