import type { Migration } from '../../src/api/index.ts';

export const ADDRESSES = 'archive_addresses';
export const MESSAGES = 'archive_messages';
export const ENTRIES = 'archive_entries';
export const STATE = 'archive_state';

// Flags of a message, and of its entry in an archive
/** It is in its sender's archive; of an entry: it went out. */
export const SENT = 1;
/** It is in its recipient's archive; of an entry: it came in. */
export const RECEIVED = 2;
/** Text that is to be read. */
export const TEXT = 4;
/** Its sender has retracted it; what is left is a tombstone (XEP-0424 5). */
export const RETRACTED = 8;
/** Text in the place of an earlier message's (XEP-0308): nothing more to read. */
export const CORRECTS = 16;

/** Of an entry: what came in and has to be read. */
export const INCOMING_TEXT = RECEIVED | TEXT;
/** Of a message: it was committed before it went on, and may not have gone on when the program ended. */
export const AHEAD = 64;

/** The flags of a message's entry in the archive of its sender, or of its recipient. */
export function entryFlags(side: typeof SENT | typeof RECEIVED, flags: number): number {
  return side | (flags & (TEXT | RETRACTED | CORRECTS));
}

/*
 * A message is written once, for both of its archives, at the end of one table in the order of keys (key.ts): the one write that
 * somebody waits for. Which messages an archive has stands in `archive_entries`, by owner; these rows follow in large portions
 * (merging.ts), since a row at a time each would cost a page of its own.
 */
export const migrations: readonly Migration[] = [
  {
    name: '001-archive',
    up: async (schema, tx) => {
      await schema.createTable(ADDRESSES, table => {
        table.increments('id');
        // the bare JID, or a digest of one that is longer
        table.string('jid', 191).notNullable().unique();
        // the account was removed: what it had before this key is gone
        table.bigInteger('gone_before').notNullable().defaultTo(0);
      });
      // SQLite has its own words for tables that are ordered by their key
      if (tx.client.config.client === 'better-sqlite3') {
        await tx.raw(
          `create table ${MESSAGES} (id integer primary key, tail text not null, sender integer not null, recipient integer not null,
             flags integer not null, mark integer not null, stanza text not null)`,
        );
        await tx.raw(
          `create table ${ENTRIES} (owner integer not null, id integer not null, peer integer not null, flags integer not null,
             mark integer not null, primary key (owner, id)) without rowid`,
        );
      } else {
        await schema.createTable(MESSAGES, table => {
          table.bigInteger('id').notNullable().primary();
          // what of the stanza id is not in the key
          table.string('tail', 9).notNullable();
          table.integer('sender').notNullable();
          table.integer('recipient').notNullable();
          table.integer('flags').notNullable();
          // of the client's own id (key.ts)
          table.integer('mark').notNullable();
          table.text('stanza', 'mediumtext').notNullable();
        });
        await schema.createTable(ENTRIES, table => {
          table.integer('owner').notNullable();
          table.bigInteger('id').notNullable();
          table.integer('peer').notNullable();
          table.integer('flags').notNullable();
          table.integer('mark').notNullable();
          table.primary(['owner', 'id']);
        });
      }
      await schema.alterTable(ENTRIES, table => {
        // answers questions about a conversation by itself
        table.index(['owner', 'peer', 'id', 'flags', 'mark'], 'archive_conversations');
      });
      // the one row says how far entries have followed: all up to `merged`; up to `merging` those of owners below `owner`, and of
      // that one up to `part`
      await schema.createTable(STATE, table => {
        table.integer('id').notNullable().primary();
        table.bigInteger('merged').notNullable();
        table.bigInteger('merging').notNullable();
        table.integer('owner').notNullable();
        table.bigInteger('part').notNullable();
      });
      await tx(STATE).insert({ id: 1, merged: 0, merging: 0, owner: 0, part: 0 });
    },
  },
];
