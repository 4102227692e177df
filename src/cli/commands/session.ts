import type { Command } from 'commander';
import { type Context, examples } from '../context.ts';

/** `posthouse session ...` */
export function sessionCommands(program: Command, context: Context): void {
  const session = program
    .command('session')
    .description('connected clients, and what has access to accounts')
    .addHelpText('after', examples('posthouse session list', 'posthouse session revoke romeo@localhost'));
  session
    .command('list')
    .description('list sessions, and the clients of an account')
    .argument('[jid]', 'only those of this account, and its clients that are away')
    .addHelpText('after', examples('posthouse session list', 'posthouse session list romeo@localhost --json'))
    .action((jid?: string) =>
      context.run(async ask => {
        const rows = (await ask('session.list', { jid })) as Record<string, unknown>[];
        const columns = ['jid', 'transport', 'address', 'since', 'state', 'queued'];
        if (jid === undefined) context.table(rows, columns, 'Nobody is connected.');
        else context.table(rows, [...columns, 'client', 'software', 'device'], `${jid} has no clients.`);
      }),
    );
  session
    .command('revoke')
    .description('take a client its tokens and end its sessions')
    .argument('<jid>', 'name@domain')
    .argument('[client]', "as 'posthouse session list name@domain' shows it; all of them when left out")
    .addHelpText(
      'after',
      examples(
        'posthouse session revoke romeo@localhost 3f0c6c2b9a1d4e5f6a7b8c9d',
        'posthouse session revoke romeo@localhost',
      ),
    )
    .action((jid: string, client?: string) =>
      context.run(async ask => {
        const result = (await ask('session.revoke', { jid, client })) as { revoked: number; password: boolean };
        const rest = result.password ? ` Who knows the password can log in again: posthouse user passwd ${jid}` : '';
        context.say(`${result.revoked} revoked.${rest}`, result);
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
