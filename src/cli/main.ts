import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { type Ask, asker, CliError, EXIT } from './ask.ts';
import { readPassword } from './password.ts';
import { print, table } from './print.ts';
import { version } from '../node/version.ts';

interface Common {
  conf?: string;
  data?: string;
  domain?: string;
  json?: boolean;
}

/** The `posthouse` command. Resolves to the exit code: 0 done, 1 refused or failed, 2 wrong usage, 3 no node is running. */
export async function main(argv: readonly string[]): Promise<number> {
  // a reader that goes away (| head) is no fault
  process.stdout.on('error', () => process.exit(0));
  const program = new Command('posthouse')
    .description('Posthouse, an XMPP server. Starts a node, and manages the one that runs on a data folder.')
    .version(version, '-V, --version')
    .option('-c, --conf <file>', 'configuration file (default: conf/posthouse.yaml)')
    .option('-d, --data <folder>', 'data folder (default: ./data, or what the configuration says)')
    .addOption(new Option('--domain <domain>', 'serve this one domain instead of the configured hosts'))
    .option('--json', 'print JSON')
    .showHelpAfterError('(posthouse --help tells more)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  posthouse start                               a server for localhost, data in ./data
  posthouse start --domain chat.example.com     the same for another domain
  posthouse user add romeo@localhost            asks for a password, without echo
  echo "$PASSWORD" | posthouse user add juliet@localhost
  posthouse session list --json
  posthouse check                               is the configuration right, and the machine?

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no node is running on the data folder.`,
    );
  const common = (): Common => program.opts<Common>();
  let code: number = EXIT.done;

  const run = (action: (ask: Ask, options: Common) => Promise<void>) => async (): Promise<void> => {
    const { ask, close } = asker(common());
    try {
      await action(ask, common());
    } finally {
      await close();
    }
  };
  const say = (text: string, result: unknown): void => print(common().json === true, result, () => text);

  program
    .command('start')
    .description('start a node and stay in the foreground')
    .action(async () => {
      const { start } = await import('./start.ts');
      code = await start(common());
    });

  program
    .command('check')
    .description('check the configuration and the machine without starting anything')
    .addHelpText(
      'after',
      '\nExit code 0: all is well (perhaps with hints); 1: something would keep the node from working.',
    )
    .action(async () => {
      const { check } = await import('./check.ts');
      code = await check(common());
    });

  const user = program
    .command('user')
    .description('accounts; without a running node they are changed in the data folder itself');
  const jidArgument = (text: string): string => {
    if (!text.includes('@')) throw new InvalidArgumentError('An account is name@domain, for example romeo@localhost.');
    return text;
  };
  user
    .command('add')
    .description('add an account')
    .argument('<jid>', 'its address, name@domain', jidArgument)
    .addHelpText(
      'after',
      '\nThe password is asked for without echo, or read as one line from standard input.\n\nExample:\n  posthouse user add romeo@localhost',
    )
    .action((jid: string) =>
      run(async ask => {
        const password = await readPassword(`Password for ${jid}: `, true);
        say(`${jid} was added.`, await ask('user.add', { jid, password }));
      })(),
    );
  user
    .command('passwd')
    .description('set a new password')
    .argument('<jid>', 'the account', jidArgument)
    .addHelpText('after', '\nThe password is asked for without echo, or read as one line from standard input.')
    .action((jid: string) =>
      run(async ask => {
        const password = await readPassword(`New password for ${jid}: `, true);
        say(`${jid} has a new password.`, await ask('user.passwd', { jid, password }));
      })(),
    );
  user
    .command('list')
    .description('list accounts')
    .argument('[host]', 'only those of this host')
    .action((host?: string) =>
      run(async (ask, { json }) => {
        const rows = (await ask('user.list', { host })) as Record<string, unknown>[];
        print(json === true, rows, () =>
          table(rows, ['jid', 'status', 'sessions', 'lastLogin'], 'There is no account yet.'),
        );
      })(),
    );
  user
    .command('show')
    .description('show one account')
    .argument('<jid>', 'the account', jidArgument)
    .action((jid: string) =>
      run(async (ask, { json }) => {
        const row = (await ask('user.show', { jid })) as Record<string, unknown>;
        print(json === true, row, () => lines(row));
      })(),
    );
  for (const [name, description, done] of [
    ['disable', 'keep an account from logging in, and end its sessions', 'is disabled'],
    ['enable', 'let a disabled account log in again', 'is enabled'],
    ['delete', 'delete an account and all that is kept for it', 'is deleted'],
  ] as const) {
    user
      .command(name)
      .description(description)
      .argument('<jid>', 'the account', jidArgument)
      .action((jid: string) => run(async ask => say(`${jid} ${done}.`, await ask(`user.${name}`, { jid })))());
  }

  const session = program.command('session').description('connected clients');
  session
    .command('list')
    .description('list sessions')
    .argument('[jid]', 'only those of this account')
    .action((jid?: string) =>
      run(async (ask, { json }) => {
        const rows = (await ask('session.list', { jid })) as Record<string, unknown>[];
        print(json === true, rows, () =>
          table(rows, ['jid', 'transport', 'address', 'since', 'state', 'queued'], 'Nobody is connected.'),
        );
      })(),
    );
  session
    .command('close')
    .description('end a session (full address) or all of an account')
    .argument('<jid>', 'name@domain or name@domain/resource')
    .option('--see-other-host <host[:port]>', 'send the client to another host')
    .action((jid: string, options: { seeOtherHost?: string }) =>
      run(async ask => {
        const result = (await ask('session.close', { jid, seeOtherHost: options.seeOtherHost })) as { closed: number };
        say(`${result.closed} ended.`, result);
      })(),
    );

  const module = program.command('module').description('modules of the running node');
  module
    .command('list')
    .description('list modules and what they do')
    .action(
      run(async (ask, { json }) => {
        const rows = (await ask('module.list', {})) as Record<string, unknown>[];
        print(json === true, rows, () => table(rows, ['name', 'state', 'doc'], 'No module is loaded.'));
      }),
    );
  for (const [name, description, done] of [
    ['load', 'load a module: a name, an npm package, or a path', 'is loaded'],
    ['unload', 'unload a module; no session is touched', 'is unloaded'],
    ['reload', 'load the code of a module anew; no session is touched', 'is reloaded'],
  ] as const) {
    const command = module.command(name).description(description).argument('<name>', 'the module');
    if (name === 'unload') command.option('--cascade', 'with the modules that need it');
    command.action((given: string, options: { cascade?: boolean }) =>
      run(async ask =>
        say(`${given} ${done}.`, await ask(`module.${name}`, { name: given, cascade: options.cascade })),
      )(),
    );
  }

  const config = program.command('config').description('configuration of the running node');
  config
    .command('show')
    .description('show the configuration in force, secrets hidden')
    .action(
      run(async (ask, { json }) => {
        const result = (await ask('config.show', {})) as { text: string };
        print(json === true, result, () => result.text);
      }),
    );
  config
    .command('reload')
    .description('read the configuration file again: all of it or, if anything is wrong, nothing')
    .action(
      run(async ask => {
        const result = (await ask('config.reload', {})) as { changed: string[]; restart: string[] };
        const restart = result.restart.length > 0 ? `\nThese need a restart: ${result.restart.join(', ')}.` : '';
        say(
          result.changed.length + result.restart.length === 0
            ? 'Nothing changed.'
            : `In force: ${result.changed.join(', ') || 'nothing new'}.${restart}`,
          result,
        );
      }),
    );

  program
    .command('status')
    .description('tell how the node is')
    .action(
      run(async (ask, { json }) => {
        const result = (await ask('status', {})) as Record<string, unknown>;
        print(json === true, result, () => lines(result));
      }),
    );
  program
    .command('stop')
    .description('stop the node in order')
    .action(run(async ask => say('It stops.', await ask('stop', {}))));
  program
    .command('version')
    .description('tell the version')
    .action(() =>
      say(`posthouse ${version} on Node ${process.versions.node}`, { posthouse: version, node: process.versions.node }),
    );

  try {
    await program.parseAsync(argv as string[], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof CliError) {
      process.stderr.write(`posthouse: ${error.message}\n`);
      return error.code;
    }
    process.stderr.write(`posthouse: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.failed;
  }
  return code;
}

function lines(row: Record<string, unknown>): string {
  const width = Math.max(...Object.keys(row).map(key => key.length));
  return Object.entries(row)
    .map(([key, value]) => `${key.padEnd(width)}  ${Array.isArray(value) ? value.join(', ') : String(value ?? '-')}`)
    .join('\n');
}
