/* A module on trial: its schema has as many steps as POSTHOUSE_TEST_STEPS says, each of some length. */
import { defineModule, type Migration } from '../../../src/api/index.ts';

const ROWS = 40;

function step(number: number): Migration {
  const table = `crash_step_${number}`;
  return {
    name: String(number).padStart(3, '0'),
    up: async (schema, tx) => {
      await schema.createTable(table, columns => void columns.integer('n').notNullable());
      // what is done twice stands there twice
      if (number === 1) await schema.createTable('crash_steps', columns => void columns.integer('step').notNullable());
      for (let n = 0; n < ROWS; n++) await tx(table).insert({ n });
      await tx('crash_steps').insert({ step: number });
      await schema.alterTable(table, columns => void columns.text('note'));
    },
  };
}

export default defineModule({
  name: 'crash-steps',
  doc: 'Has a schema of many steps.',
  stores: {
    steps: {
      migrations: Array.from({ length: Number(process.env.POSTHOUSE_TEST_STEPS ?? 1) }, (_, index) => step(index + 1)),
      open: () => Promise.resolve({}),
    },
  },
  setup() {},
});
