import type { Migration } from '../../src/api/index.ts';
import { LONGEST_ADDRESS } from '../rooms/contract.ts';

export const GROUPS_TABLE = 'groups_kept';
export const MUTES = 'group_mutes';
export const ALLOWANCES = 'group_allowances';
export const CURSORS = 'group_cursors';
export const CONCERNED = 'group_bookmarks_due';
export const FAREWELLS = 'group_farewells';

/** What `accountKey` makes has at most so many characters. */
const LONGEST_KEY = 128;

export const migrations: readonly Migration[] = [
  {
    name: '001-groups',
    up: async schema => {
      await schema.createTable(GROUPS_TABLE, table => {
        // of its room
        table.string('jid', LONGEST_ADDRESS).primary();
        table.string('domain', LONGEST_ADDRESS).notNullable();
        // 'group' or 'discussion'
        table.string('kind', 12).notNullable();
        // by which people find it
        table.bigInteger('number').notNullable().unique();
        table.string('founder', LONGEST_KEY).notNullable();
        table.bigInteger('founded').notNullable();
        // when something was said last, about
        table.bigInteger('active_at').notNullable();
        // until when only admins and owners speak; 0: all do
        table.bigInteger('muted_until').notNullable();
        table.text('announcement', 'mediumtext');
        table.text('announced_by');
        table.bigInteger('announced_at');
        table.index(['founder', 'domain', 'kind'], 'groups_kept_founder');
        table.index(['kind', 'active_at'], 'groups_kept_active');
      });
      await schema.createTable(MUTES, table => {
        table.string('jid', LONGEST_ADDRESS).notNullable();
        table.string('account', LONGEST_KEY).notNullable();
        table.bigInteger('ends').notNullable();
        table.primary(['jid', 'account']);
      });
      await schema.createTable(ALLOWANCES, table => {
        table.string('account', LONGEST_KEY).primary();
        table.integer('most').notNullable();
      });
      await schema.createTable(FAREWELLS, table => {
        // of the room: no other has it
        table.integer('room').primary();
        table.string('jid', LONGEST_ADDRESS).notNullable();
        // JSON: name, reason, who ended it, the members that are told
        table.text('farewell', 'mediumtext').notNullable();
      });
    },
  },
  {
    name: '002-ending',
    up: async schema => {
      await schema.alterTable(GROUPS_TABLE, table => {
        // its room is about to go, or has gone: its founder may found another
        table.integer('ending').notNullable().defaultTo(0);
      });
    },
  },
  {
    name: '003-cursors',
    up: async schema => {
      await schema.createTable(CURSORS, table => {
        table.string('jid', LONGEST_ADDRESS).notNullable();
        table.string('account', LONGEST_KEY).notNullable();
        table.text('address').notNullable();
        // a stanza id: they are in the order of time
        table.string('read_id', 21).notNullable();
        table.bigInteger('read_at').notNullable();
        table.primary(['jid', 'account']);
      });
    },
  },
  {
    name: '004-bookmarks-due',
    up: async schema => {
      await schema.createTable(CONCERNED, table => {
        table.bigIncrements('id');
        table.text('jid').notNullable();
        // JSON: addresses of accounts; null: all who belong to it
        table.text('accounts', 'mediumtext');
      });
    },
  },
];
