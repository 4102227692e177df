import type { Command } from 'commander';
import { type Context, examples } from '../context.ts';

/** `posthouse session ...` */
export function sessionCommands(program: Command, context: Context): void {
  const session = program
    .command('session')
    .description('connected clients')
    .addHelpText('after', examples('posthouse session list', 'posthouse session close romeo@localhost'));
  session
    .command('list')
    .description('list sessions')
    .argument('[jid]', 'only those of this account')
    .addHelpText('after', examples('posthouse session list', 'posthouse session list romeo@localhost --json'))
    .action((jid?: string) =>
      context.run(async ask => {
        const rows = (await ask('session.list', { jid })) as Record<string, unknown>[];
        context.table(rows, ['jid', 'transport', 'address', 'since', 'state', 'queued'], 'Nobody is connected.');
      }),
    );
  session
    .command('close')
    .description('end a session (full address) or all of an account')
    .argument('<jid>', 'name@domain or name@domain/resource')
    .option('--see-other-host <host[:port]>', 'send the client to another host')
    .addHelpText(
      'after',
      examples(
        'posthouse session close romeo@localhost/phone',
        'posthouse session close romeo@localhost --see-other-host chat2.example.com:5222',
      ),
    )
    .action((jid: string, options: { seeOtherHost?: string }) =>
      context.run(async ask => {
        const result = (await ask('session.close', { jid, seeOtherHost: options.seeOtherHost })) as { closed: number };
        context.say(`${result.closed} ended.`, result);
      }),
    );
}
