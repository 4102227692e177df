import { Command, CommanderError, Option } from 'commander';
import { version } from '../node/version.ts';
import { CliError, EXIT } from './ask.ts';
import { configCommands } from './commands/config.ts';
import { groupCommands } from './commands/group.ts';
import { messageCommands } from './commands/message.ts';
import { moduleCommands } from './commands/module.ts';
import { nodeCommands } from './commands/node.ts';
import { searchCommands } from './commands/search.ts';
import { sessionCommands } from './commands/session.ts';
import { storageCommands } from './commands/storage.ts';
import { userCommands } from './commands/user.ts';
import { type Common, Context } from './context.ts';

/** The `posthouse` command. Resolves to the exit code: 0 done, 1 refused or failed, 2 wrong usage, 3 no node is running. */
export async function main(argv: readonly string[]): Promise<number> {
  // a reader that goes away (| head) is no fault
  for (const out of [process.stdout, process.stderr]) out.on('error', () => {});
  const program = new Command('posthouse')
    .description('Posthouse, an XMPP server. Starts a node, and manages the one that runs on a data folder.')
    .version(version, '-V, --version')
    .addOption(
      new Option('-c, --conf <file>', 'configuration file (default: conf/posthouse.yaml)').env('POSTHOUSE_CONF'),
    )
    .addOption(
      new Option('-d, --data <folder>', 'data folder (default: ./data, or what the configuration says)').env(
        'POSTHOUSE_DATA',
      ),
    )
    .option('--domain <domain>', 'serve this one domain instead of the configured hosts')
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
  posthouse user add juliet@localhost < file    takes it from standard input
  posthouse session list --json
  posthouse message trace ID                    what became of a message
  posthouse check                               is the configuration right, and the machine?
  posthouse user --help                         more about one command, with examples

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no node is running on the data folder.`,
    );
  const context = new Context(() => program.opts<Common>());
  nodeCommands(program, context);
  userCommands(program, context);
  sessionCommands(program, context);
  messageCommands(program, context);
  groupCommands(program, context);
  searchCommands(program, context);
  moduleCommands(program, context);
  configCommands(program, context);
  storageCommands(program, context);

  try {
    await program.parseAsync(argv as string[], { from: 'user' });
  } catch (error) {
    // it has told already what is wrong
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const message = error instanceof Error ? error.message : String(error);
    const { json } = context.options;
    process.stderr.write(json ? `${JSON.stringify({ error: message })}\n` : `posthouse: ${message}\n`);
    return error instanceof CliError ? error.code : EXIT.failed;
  }
  return context.code;
}
