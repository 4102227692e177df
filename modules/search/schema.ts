import type { Migration } from '../../src/api/index.ts';
import type { Rank } from './terms.ts';

export const HOSTS = 'search_hosts';
export const PEOPLE = 'search_people';
export const TERMS = 'search_terms';

/** What somebody has chosen of being found: nothing, so that the option of the host counts, or no or yes. */
export const UNSAID = -1;
export const NO = 0;
export const YES = 1;

/**
 * Where terms stand, which is the order in which they are looked through: by rank (terms.ts), those who have said yes apart from those who
 * have said nothing. Who said no has none.
 */
export function partOf(rank: Rank, choice: typeof YES | typeof UNSAID): number {
  return { name: 0, word: 1, inside: 2 }[rank] + (choice === YES ? 0 : 3);
}

export const migrations: readonly Migration[] = [
  {
    name: '001-directory',
    up: async (schema, tx) => {
      await schema.createTable(HOSTS, table => {
        table.increments('id');
        table.string('host', 80).notNullable().unique();
        // how names were folded when its terms were made (fold.ts)
        table.integer('fold').notNullable();
        // the account up to which names were gathered; null when all are
        table.string('gathered', 191);
      });
      await schema.createTable(PEOPLE, table => {
        table.increments('id');
        table.string('account', 191).notNullable().unique();
        table.integer('host').notNullable();
        table.smallint('by_number').notNullable();
        table.smallint('by_name').notNullable();
        table.string('number', 32);
        table.string('nick', 200).notNullable();
        table.string('first_name', 200).notNullable();
        table.string('last_name', 200).notNullable();
        // all that the person is called, folded, a line each
        table.text('names').notNullable();
        table.unique(['host', 'number']);
      });
      // SQLite has its own words for tables that are ordered by their key
      if (tx.client.config.client === 'better-sqlite3') {
        await tx.raw(
          `create table ${TERMS} (host integer not null, part integer not null, term text not null, person integer not null,
             primary key (host, part, term, person)) without rowid`,
        );
      } else {
        await schema.createTable(TERMS, table => {
          table.integer('host').notNullable();
          table.smallint('part').notNullable();
          table.string('term', 32).notNullable();
          table.integer('person').notNullable();
          table.primary(['host', 'part', 'term', 'person']);
        });
      }
    },
  },
];
