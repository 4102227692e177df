import { type Command, Option } from 'commander';
import { type Context, examples } from '../context.ts';
import { readConfig } from '../read-config.ts';

/** `posthouse storage ...` */
export function storageCommands(program: Command, context: Context): void {
  const storage = program.command('storage').description('the database').addHelpText('after', examples(COPY));
  storage
    .command('copy')
    .description('copy all that one database keeps into another; no node may run on either')
    .addOption(place('--from <place>', 'a data folder (SQLite), mysql://... or postgres://...', 'POSTHOUSE_COPY_FROM'))
    .addOption(place('--to <place>', 'likewise', 'POSTHOUSE_COPY_TO'))
    .option('--replace', 'delete what the second holds, though no copy has put it there')
    .addHelpText(
      'after',
      `
It can be repeated, and begins anew each time. Certificates and keys stay in the data folder. Name --conf where modules of your own keep
something. Passwords in addresses are seen by who lists processes: POSTHOUSE_COPY_FROM and POSTHOUSE_COPY_TO do as well as the options.
${examples(COPY, 'posthouse storage copy --from postgres://posthouse@db/posthouse --to ./data')}`,
    )
    .action(async (options: { from: string; to: string; replace?: boolean }) => {
      const { copyDatabase } = await import('../../node/database.ts');
      const rows = await copyDatabase({
        from: options.from,
        to: options.to,
        replace: options.replace === true,
        config: await readConfig(context.options),
        progress: progress(),
      });
      const total = Object.values(rows).reduce((sum, count) => sum + count, 0);
      context.say(`${total} rows of ${Object.keys(rows).length} tables were copied.`, { tables: rows });
    });
}

function place(flags: string, description: string, variable: string): Option {
  return new Option(flags, description).env(variable).makeOptionMandatory();
}

const COPY = "posthouse storage copy --from /var/lib/posthouse --to 'mysql://posthouse:secret@localhost/posthouse'";
/** ms between two lines on a table that takes long. */
const PAUSE = 1000;

/** Tells on standard error how far it is. */
function progress(): (table: string, done: number, total: number) => void {
  let next = 0;
  return (table, done, total) => {
    if (done < total && performance.now() < next) return;
    if (done === 0 && total > 0) return;
    next = performance.now() + PAUSE;
    process.stderr.write(`${table}: ${done} of ${total}\n`);
  };
}
