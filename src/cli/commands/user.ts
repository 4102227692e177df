import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../context.ts';
import { examples } from '../context.ts';
import { readPassword } from '../password.ts';

const PASSWORD = '\nThe password is asked for without echo, or read as one line from standard input.\n';

/** `posthouse user ...` */
export function userCommands(program: Command, context: Context): void {
  const user = program
    .command('user')
    .description('accounts; without a running node they are changed in the data folder itself')
    .addHelpText('after', examples('posthouse user add romeo@localhost', 'posthouse user list --json'));
  user
    .command('add')
    .description('add an account')
    .argument('<jid>', 'its address, name@domain', account)
    .addHelpText(
      'after',
      PASSWORD +
        examples(
          'posthouse user add romeo@localhost',
          'posthouse user add romeo@localhost --data /var/lib/posthouse < password.txt',
        ),
    )
    .action((jid: string) =>
      context.run(async ask => {
        await ask('user.addable', { jid });
        const password = await readPassword(`Password for ${jid}: `, true);
        context.say(`${jid} was added.`, await ask('user.add', { jid, password }));
      }),
    );
  user
    .command('passwd')
    .description('set a new password')
    .argument('<jid>', 'the account', account)
    .addHelpText('after', PASSWORD + examples('posthouse user passwd romeo@localhost'))
    .action((jid: string) =>
      context.run(async ask => {
        await ask('user.show', { jid });
        const password = await readPassword(`New password for ${jid}: `, true);
        context.say(`${jid} has a new password.`, await ask('user.passwd', { jid, password }));
      }),
    );
  user
    .command('list')
    .description('list accounts')
    .argument('[host]', 'only those of this host')
    .addHelpText('after', examples('posthouse user list', 'posthouse user list chat.example.com --json'))
    .action((host?: string) =>
      context.run(async ask => {
        const rows = (await ask('user.list', { host })) as Record<string, unknown>[];
        context.table(rows, ['jid', 'status', 'sessions', 'lastLogin'], 'There is no account yet.');
      }),
    );
  user
    .command('show')
    .description('show one account')
    .argument('<jid>', 'the account', account)
    .addHelpText('after', examples('posthouse user show romeo@localhost'))
    .action((jid: string) =>
      context.run(async ask => context.lines((await ask('user.show', { jid })) as Record<string, unknown>)),
    );
  for (const [name, description, done] of [
    ['disable', 'keep an account from logging in, and end its sessions', 'is disabled'],
    ['enable', 'let a disabled account log in again', 'is enabled'],
    ['delete', 'delete an account and all that is kept for it', 'is deleted'],
  ] as const) {
    user
      .command(name)
      .description(description)
      .argument('<jid>', 'the account', account)
      .addHelpText('after', examples(`posthouse user ${name} romeo@localhost`))
      .action((jid: string) =>
        context.run(async ask => context.say(`${jid} ${done}.`, await ask(`user.${name}`, { jid }))),
      );
  }
  user
    .command('export')
    .description('write accounts and what they have as XML (XEP-0227)')
    .argument('[jid or host]', 'one account, or those of a host; all when left out')
    .option('--output <file>', 'a file, for its owner only, instead of standard output')
    .addHelpText('after', examples('posthouse user export --output users.xml', 'posthouse user export romeo@localhost'))
    .action((what: string | undefined, { output }: { output?: string }) =>
      context.run(async ask => {
        const at = what?.lastIndexOf('@') ?? -1;
        const wanted =
          what === undefined
            ? {}
            : at < 0
              ? { host: what }
              : { account: { local: what.slice(0, at), domain: what.slice(at + 1) } };
        const { exportUsers } = await import('../portable/export.ts');
        const done = await exportUsers(ask, wanted, output);
        const text = `${done.accounts} accounts with ${done.entries} entries were exported.`;
        if (output === undefined) process.stderr.write(`${text}\n`);
        else context.say(text, done);
      }),
    );
  user
    .command('import')
    .description('take in accounts and what they have from a file of XEP-0227; can be repeated')
    .argument('<file>', 'the file')
    .addHelpText(
      'after',
      '\nAccounts that are there keep their passwords; messages of archives keep their ids. What cannot be taken in is told of by its line, and the rest goes on.\n' +
        examples('posthouse user import users.xml'),
    )
    .action((file: string) =>
      context.run(async ask => {
        const { importUsers } = await import('../portable/import.ts');
        const counts = await importUsers(ask, file);
        const { accounts, existing, imported, known, problems } = counts;
        if (problems > 0) context.code = 1;
        context.say(
          `${accounts} accounts were added, ${existing} were there; ${imported} entries were taken in, ${known} were there; ${problems} problems.`,
          counts,
        );
      }),
    );
}

function account(text: string): string {
  if (!text.includes('@')) throw new InvalidArgumentError('An account is name@domain, for example romeo@localhost.');
  return text;
}
