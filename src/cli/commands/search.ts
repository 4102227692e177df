import type { Command } from 'commander';
import { type Context, examples } from '../context.ts';

interface Entry {
  readonly account: string;
  readonly number?: string;
  readonly byNumber: boolean;
  readonly byName: boolean;
}

/** `posthouse search ...` */
export function searchCommands(program: Command, context: Context): void {
  const search = program
    .command('search')
    .description('the directory of people (module search)')
    .addHelpText('after', examples('posthouse search number romeo@localhost +8613800138000'));
  search
    .command('number')
    .description('the number by which an account is found, where administrators give it (modules.search.number)')
    .argument('<jid>', 'name@domain')
    .argument('[number]', "3 to 20 digits, with or without '+', or 'none'; left out: tells how it is")
    .addHelpText(
      'after',
      examples(
        'posthouse search number romeo@localhost',
        'posthouse search number romeo@localhost +8613800138000',
        'posthouse search number romeo@localhost none',
      ),
    )
    .action((jid: string, number?: string) =>
      context.run(async ask => {
        const told = (await ask('search.number', { account: jid, number })) as Entry;
        const ways = [told.byNumber && 'by number', told.byName && 'by name'].filter(Boolean).join(' and ');
        context.say(
          `${told.account} has ${told.number === undefined ? 'no number' : `the number ${told.number}`}, and is found ${ways || 'by nobody'}.`,
          told,
        );
      }),
    );
  search
    .command('gather')
    .description('read anew what all accounts of a host are called, for one after the module was off for a while')
    .argument('<host>', 'domain')
    .addHelpText('after', examples('posthouse search gather localhost'))
    .action((host: string) =>
      context.run(async ask => {
        const told = (await ask('search.gather', { host })) as { host: string };
        context.say(`The names of the accounts of ${told.host} are being read; the log tells when that is done.`, told);
      }),
    );
}
