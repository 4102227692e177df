import type { Command } from 'commander';
import { type Context, examples } from '../context.ts';

interface Allowance {
  readonly account: string;
  readonly most: number;
  readonly own: boolean;
  readonly there: number;
}

/** `posthouse group ...` */
export function groupCommands(program: Command, context: Context): void {
  const group = program
    .command('group')
    .description('groups (module groups)')
    .addHelpText('after', examples('posthouse group allow romeo@localhost 10'));
  group
    .command('allow')
    .description('how many groups an account may found, where that is not as for everybody (modules.groups.perUser)')
    .argument('<jid>', 'name@domain')
    .argument('[most]', "a number, or 'default'; left out: tells how it is")
    .addHelpText(
      'after',
      examples(
        'posthouse group allow romeo@localhost',
        'posthouse group allow romeo@localhost 10',
        'posthouse group allow romeo@localhost default',
      ),
    )
    .action((jid: string, most?: string) =>
      context.run(async ask => {
        const told = (await ask('group.allow', { account: jid, most })) as Allowance;
        const { account, there, own } = told;
        const why = own ? 'its own number' : 'as for everybody';
        context.say(`${account} may found ${told.most} groups (${why}), and has ${there}.`, told);
      }),
    );
}
