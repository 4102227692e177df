/* How a room comes to be a group, and ceases to be one: the founder's number, the group's number. */
import { randomInt } from 'node:crypto';
import { andThen, type BatchTransaction, type MaybePromise } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { CURSORS, GROUPS_TABLE, MUTES } from './schema.ts';

export type GroupKind = 'discussion' | 'group';

/** A group that somebody wants to have. */
export interface Claim {
  readonly room: Jid;
  readonly kind: GroupKind;
  readonly founder: string;
  /** How many of the kind a founder may have in this domain; undefined: any number. */
  readonly most: number | undefined;
  readonly now: number;
}

const FEWEST = 100_000_000;
const MOST = 999_999_999;

export const COUNT = `select count(*) as there from ${GROUPS_TABLE} where founder = ? and domain = ? and kind = ? and ending = 0`;

/** -1, or how many of the kind there are where those are as many as the founder may have. */
export function claimGroup(tx: BatchTransaction, claim: Claim): MaybePromise<number> {
  return andThen(
    tx.get<{ kind: GroupKind; founder: string; ending: number }>(
      `select kind, founder, ending from ${GROUPS_TABLE} where jid = ?`,
      claim.room.bare,
    ),
    kept => {
      // what is left of a room that had the name before
      if (kept && Number(kept.ending) === 1)
        return andThen(removeGroup(tx, claim.room, true), () => claimNew(tx, claim, undefined));
      return claimNew(tx, claim, kept);
    },
  );
}

function claimNew(
  tx: BatchTransaction,
  claim: Claim,
  known: { kind: GroupKind; founder: string } | undefined,
): MaybePromise<number> {
  if (known && known.kind === claim.kind && known.founder === claim.founder) return -1;
  return andThen(count(tx, claim), there => {
    if (claim.most !== undefined && there >= claim.most) return there;
    return andThen(known ? change(tx, claim) : add(tx, claim), () => -1);
  });
}

/** `ended`: only where its room was about to go. */
export function removeGroup(tx: BatchTransaction, { bare }: Jid, ended: boolean): MaybePromise<number> {
  const which = ended ? ' and ending = 1' : '';
  return andThen(tx.run(`delete from ${GROUPS_TABLE} where jid = ?${which}`, bare), ({ changes }) =>
    changes === 0
      ? 0
      : andThen(tx.run(`delete from ${MUTES} where jid = ?`, bare), () =>
          andThen(tx.run(`delete from ${CURSORS} where jid = ?`, bare), () => 0),
        ),
  );
}

function count(tx: BatchTransaction, { founder, room, kind }: Claim): MaybePromise<number> {
  return andThen(tx.get<{ there: number }>(COUNT, founder, room.domain, kind), row => Number(row?.there ?? 0));
}

function change(tx: BatchTransaction, { room, kind, founder }: Claim): MaybePromise<unknown> {
  return tx.run(`update ${GROUPS_TABLE} set kind = ?, founder = ? where jid = ?`, kind, founder, room.bare);
}

/** With a number that no other has. */
function add(tx: BatchTransaction, claim: Claim): MaybePromise<unknown> {
  const number = randomInt(FEWEST, MOST + 1);
  const taken = tx.get<{ jid: string }>(`select jid from ${GROUPS_TABLE} where number = ?`, number);
  return andThen(taken, row => {
    if (row) return add(tx, claim);
    const { room, kind, founder, now } = claim;
    return tx.run(
      `insert into ${GROUPS_TABLE} (jid, domain, kind, number, founder, founded, active_at, muted_until)
       values (?, ?, ?, ?, ?, ?, ?, 0)`,
      room.bare,
      room.domain,
      kind,
      number,
      founder,
      now,
      now,
    );
  });
}
