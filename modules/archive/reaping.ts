import type { Statement, Storage } from '../../src/api/index.ts';
import type { Addresses } from './addresses.ts';
import { ADDRESSES, ENTRIES } from './schema.ts';

/** Numbers of addresses that are looked through in one go for those that may go. */
const STRETCH = 2000;
/** Addresses that are looked for in one statement, and archives that are looked through for them: about a thousand steps of an index. */
const TOGETHER = 50;
const OWNERS = 20;

interface Candidate {
  readonly id: number;
  readonly jid: string;
}

/**
 * Takes away addresses that no entry refers to any more: those of accounts that were removed, and those that only these knew. Nobody
 * counts references; so an address is looked for in the archives of all others, and which one was found to have it is remembered. An
 * address goes in two steps, with some time between them: one that somebody asks for meanwhile stays.
 */
export class Reaping {
  private readonly addresses: Addresses;
  private readonly grace: number;
  private readonly suspects: Statement<Candidate>;
  private readonly last: Statement<{ id: number | null }>;
  private readonly own: Statement<{ id: number }>;
  private readonly pair: Statement<{ id: number }>;
  private readonly owners: Statement<{ id: number }>;
  private readonly found: Statement<{ peer: number; owner: number }>;
  /** An archive that has each of those that were found. */
  private readonly holders = new Map<number, number>();

  /** `grace`: milliseconds between the two steps. */
  constructor(storage: Storage, addresses: Addresses, grace: number) {
    this.addresses = addresses;
    this.grace = grace;
    this.suspects = storage.prepare(
      `select id, jid from ${ADDRESSES} where id > ? and id <= ? and gone_before > 0 order by id`,
    );
    this.last = storage.prepare(`select max(id) as id from ${ADDRESSES}`);
    this.own = storage.prepare(`select id from ${ENTRIES} where owner = ? limit 1`);
    this.pair = storage.prepare(`select id from ${ENTRIES} where owner = ? and peer = ? limit 1`);
    this.owners = storage.prepare(`select id from ${ADDRESSES} where id > ? order by id limit ${OWNERS}`);
    const places = Array.from({ length: TOGETHER }, () => '?').join(', ');
    this.found = storage.prepare(
      `select c.id as peer, o.id as owner from ${ADDRESSES} c, ${ADDRESSES} o
         where c.id in (${places}) and o.id > ? and o.id <= ?
           and exists (select 1 from ${ENTRIES} e where e.owner = o.id and e.peer = c.id)`,
    );
  }

  /** Whether something is to be looked at again. */
  get pending(): boolean {
    return this.addresses.condemnedCount > 0;
  }

  /** `settle` puts all entries into their table. Returns how many addresses went. */
  async run(settle: () => Promise<void>, pause: () => Promise<void>): Promise<number> {
    const due = this.addresses.due(Date.now() - this.grace);
    let gone = 0;
    if (due.length > 0) await settle();
    for (let from = 0; from < due.length; from += TOGETHER) {
      const some = due.slice(from, from + TOGETHER);
      const holders = await this.lookFor(some, pause);
      for (const { id, jid } of some) {
        const holder = holders.get(id);
        if (holder !== undefined) {
          this.holders.set(id, holder);
          this.addresses.pardon(jid);
        } else if (this.addresses.isCondemned(jid)) {
          await this.addresses.remove(jid, id);
          this.holders.delete(id);
          gone++;
        }
      }
      await pause();
    }
    await this.look(pause);
    return gone;
  }

  /** Condemns what may go. */
  private async look(pause: () => Promise<void>): Promise<void> {
    const last = Number((await this.last.get())?.id ?? 0);
    for (let from = 0; from < last; from += STRETCH) {
      for (const { id, jid } of await this.suspects.all(from, from + STRETCH)) {
        if (this.addresses.isCondemned(jid) || (await this.isHeld(Number(id)))) continue;
        this.addresses.condemn(jid, Number(id), Date.now());
      }
      await pause();
    }
  }

  private async isHeld(id: number): Promise<boolean> {
    if (await this.own.get(id)) return true;
    const holder = this.holders.get(id);
    return holder !== undefined && (await this.pair.get(holder, id)) !== undefined;
  }

  /** An archive for each of the addresses that one has, its own for one that has something itself. */
  private async lookFor(candidates: readonly Candidate[], pause: () => Promise<void>): Promise<Map<number, number>> {
    const holders = new Map<number, number>();
    for (const { id } of candidates) if (await this.own.get(id)) holders.set(id, id);
    for (let last = 0; ;) {
      const left = candidates.filter(({ id }) => !holders.has(id));
      const owners = left.length === 0 ? [] : await this.owners.all(last);
      if (owners.length === 0) return holders;
      const end = Number(owners.at(-1)!.id);
      // the statement has so many places; nobody has the number 0
      const ids = Array.from({ length: TOGETHER }, (_, i) => left[i]?.id ?? 0);
      for (const { peer, owner } of await this.found.all(...ids, last, end)) holders.set(Number(peer), Number(owner));
      last = end;
      await pause();
    }
  }
}
