import {
  andThen,
  type BatchTransaction,
  type MaybePromise,
  type Statement,
  type Storage,
  type Transactor,
} from '../../src/api/index.ts';
import { keyOf, REDIRECTS } from './schema.ts';

/** Where a node is that was deleted: XEP-0060 8.4. */
export interface Redirect {
  /** The node's name. */
  readonly name: string;
  /** Of what has taken its place. */
  readonly uri: string;
  /** Bare JID of who deleted it. */
  readonly owner: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What was said of nodes that are no more. */
export class RedirectStore {
  private readonly storage: Storage;
  private readonly one: Statement<{ uri: string; owner_key: string }>;

  constructor(storage: Storage) {
    this.storage = storage;
    this.one = storage.prepare(
      `select uri, owner_key from ${REDIRECTS} where service = ? and name_key = ? and created_at >= ?`,
    );
  }

  /** `since`: those from before are over. `isOf`: whether that is who deleted the node. */
  get(
    service: string,
    name: string,
    since: number,
  ): MaybePromise<{ uri: string; isOf(who: string): boolean } | undefined> {
    return andThen(
      this.one.get(service, keyOf(name), since),
      row => row && { uri: row.uri, isOf: who => keyOf(who) === row.owner_key },
    );
  }

  /** An account is removed: the names that it gave up are nobody's. */
  async disown(owner: string): Promise<void> {
    await this.storage.transact(tx =>
      tx(REDIRECTS)
        .where({ owner_key: keyOf(owner) })
        .update({ owner_key: '' }),
    );
  }

  /** Those from before a time go. */
  async expire(before: number): Promise<void> {
    await this.storage.transact(tx => tx(REDIRECTS).where('created_at', '<', before).delete());
  }
}

/** Of those that a service has, the oldest beyond `most` go. */
export function putRedirect(
  tx: BatchTransaction,
  service: string,
  { name, uri, owner, at }: Redirect,
  most: number,
): MaybePromise<unknown> {
  const row = [service, keyOf(name), uri, keyOf(owner), at];
  return andThen(tx.run(`delete from ${REDIRECTS} where service = ? and name_key = ?`, service, keyOf(name)), () =>
    andThen(
      tx.run(`insert into ${REDIRECTS} (service, name_key, uri, owner_key, created_at) values (?, ?, ?, ?, ?)`, ...row),
      () =>
        andThen(
          tx.get<{ id: number }>(
            `select id from ${REDIRECTS} where service = ? order by id desc limit 1 offset ?`,
            service,
            most,
          ),
          last => last && tx.run(`delete from ${REDIRECTS} where service = ? and id <= ?`, service, last.id),
        ),
    ),
  );
}

export async function dropRedirect(tx: Transactor, service: string, name: string): Promise<void> {
  await tx(REDIRECTS)
    .where({ service, name_key: keyOf(name) })
    .delete();
}
