import { createHash } from 'node:crypto';
import type { Migration } from '../../src/api/index.ts';

export const ROOMS = 'rooms';
export const AFFILIATIONS = 'room_affiliations';
export const APPLICATIONS = 'room_applications';
export const CARDS = 'room_cards';
export const HATS = 'room_hats';

/** Most characters of a room's address: what MySQL 5.7 can index. */
export const LONGEST_ADDRESS = 191;
const LONGEST_KEY = 128;

/** How an address of a user is written where it is a key: it may have 2047 bytes. */
export function keyOf(bare: string): string {
  return bare.length <= LONGEST_KEY ? bare : `#${createHash('sha256').update(bare).digest('hex')}`;
}

export const migrations: readonly Migration[] = [
  {
    name: '001-rooms',
    up: async schema => {
      await schema.createTable(ROOMS, table => {
        // never given twice: a room that is made again by the name of one that is gone is another one
        table.increments('id');
        table.string('jid', LONGEST_ADDRESS).notNullable().unique();
        table.string('domain', LONGEST_ADDRESS).notNullable();
        // of the user who made it
        table.string('creator', LONGEST_KEY).notNullable();
        table.bigInteger('created').notNullable();
        // JSON (config.ts)
        table.text('config', 'mediumtext').notNullable();
        // what of it is asked for by itself
        table.integer('listed').notNullable();
        table.integer('temporary').notNullable();
        table.integer('locked').notNullable();
        table.text('subject', 'mediumtext');
        table.text('subject_nick');
        table.bigInteger('subject_at');
        // JSON: a hash of each picture
        table.text('avatar').notNullable();
        table.index(['domain', 'listed', 'jid'], 'rooms_listed');
        table.index(['creator', 'domain'], 'rooms_creator');
        table.index(['temporary'], 'rooms_temporary');
      });
      await schema.createTable(AFFILIATIONS, table => {
        table.integer('room').notNullable();
        table.string('jid_key', LONGEST_KEY).notNullable();
        table.text('jid').notNullable();
        table.string('affiliation', 8).notNullable();
        table.text('nick');
        table.text('reason');
        table.bigInteger('since').notNullable();
        table.primary(['room', 'jid_key']);
        table.index(['jid_key', 'room'], 'room_affiliations_jid');
      });
      await schema.createTable(APPLICATIONS, table => {
        table.integer('room').notNullable();
        table.string('jid_key', LONGEST_KEY).notNullable();
        table.text('jid').notNullable();
        // JSON: what was filled in
        table.text('form', 'mediumtext').notNullable();
        table.bigInteger('applied').notNullable();
        table.primary(['room', 'jid_key']);
        table.index(['applied'], 'room_applications_applied');
      });
      await schema.createTable(CARDS, table => {
        table.integer('room').notNullable().primary();
        table.text('card', 'mediumtext').notNullable();
      });
    },
  },
  {
    name: '002-hats',
    up: async schema => {
      await schema.alterTable(ROOMS, table => {
        // JSON: those that there are, in their order (hats.ts)
        table.text('hats', 'mediumtext');
      });
      await schema.createTable(HATS, table => {
        table.integer('room').notNullable();
        table.string('jid_key', LONGEST_KEY).notNullable();
        table.text('jid').notNullable();
        // JSON: the URIs of those that this user has
        table.text('uris', 'mediumtext').notNullable();
        table.primary(['room', 'jid_key']);
        table.index(['jid_key', 'room'], 'room_hats_jid');
      });
    },
  },
  {
    name: '003-subject',
    up: async schema => {
      await schema.alterTable(ROOMS, table => {
        // the occupant id of who set it (XEP-0421)
        table.string('subject_by', 128);
      });
    },
  },
];
