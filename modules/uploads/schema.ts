import type { Migration } from '../../src/api/index.ts';

export const UPLOADS = 'uploads';
/** Names of files that are to be removed from where files are kept. */
export const REMAINS = 'upload_remains';

/** Most characters of an owner's address. */
export const LONGEST_OWNER = 191;

/** What a row stands for. */
export const PENDING = 0;
export const KEPT = 1;
/** A file that is gone, which counts for the day. */
export const GONE = 2;

export const migrations: readonly Migration[] = [
  {
    name: '001-uploads',
    up: async schema => {
      await schema.createTable(UPLOADS, table => {
        // the name of the file, and what of its address nobody can guess
        table.string('name', 32).primary();
        // what of the address for PUT nobody can guess
        table.string('secret', 32).notNullable().unique();
        table.string('owner', LONGEST_OWNER).notNullable();
        table.string('purpose', 16).notNullable();
        table.string('filename', 255).notNullable();
        // '' where the client did not say
        table.string('type', 191).notNullable();
        table.bigInteger('size').notNullable();
        table.integer('state').notNullable();
        table.bigInteger('created').notNullable();
        // of a kept file
        table.bigInteger('stored').notNullable();
        // seconds that it stays behind that; 0: without end
        table.bigInteger('keep').notNullable();
        // of an ephemeral file: when it must be gone, at most
        table.bigInteger('expires').notNullable();
        // when the row has had its time
        table.bigInteger('ends').notNullable();
        table.index(['owner', 'purpose'], 'uploads_owner');
        table.index(['ends'], 'uploads_ends');
      });
      await schema.createTable(REMAINS, table => {
        table.string('name', 32).primary();
      });
    },
  },
];
