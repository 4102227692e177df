import type { Command } from 'commander';
import { version } from '../../node/version.ts';
import { EXIT } from '../ask.ts';
import { type Context, examples } from '../context.ts';

/** `posthouse start`, `check`, `status`, `stop`, `version` */
export function nodeCommands(program: Command, context: Context): void {
  program
    .command('start')
    .description('start a node and stay in the foreground')
    .addHelpText(
      'after',
      `
SIGTERM and SIGINT stop it in order, a second one without waiting for clients; SIGHUP reads the configuration and
opens the log file again.
${examples('posthouse start', 'posthouse start --domain chat.example.com --data /var/lib/posthouse')}`,
    )
    .action(async () => {
      const { start } = await import('../start.ts');
      context.code = await start(context.options);
    });
  program
    .command('check')
    .description('check the configuration and the machine without starting anything')
    .addHelpText(
      'after',
      `
Exit code 0: all is well (perhaps with hints); 1: something would keep the node from working.
${examples('posthouse check', 'posthouse check --conf /etc/posthouse/posthouse.yaml --json')}`,
    )
    .action(async () => {
      const { check } = await import('../check/index.ts');
      context.code = await check(context.options);
    });
  program
    .command('status')
    .description('tell how the node is; exit code 1 when it is not ready to serve')
    .addHelpText('after', examples('posthouse status', 'posthouse status --json'))
    .action(() =>
      context.run(async ask => {
        const status = (await ask('status', {})) as Record<string, unknown>;
        context.lines(status);
        if (status.ready !== 'yes') context.code = EXIT.failed;
      }),
    );
  program
    .command('stop')
    .description('stop the node in order')
    .addHelpText('after', examples('posthouse stop', 'posthouse stop --data /var/lib/posthouse'))
    .action(() => context.run(async ask => context.say('It stops.', await ask('stop', {}))));
  program
    .command('version')
    .description('tell the version')
    .addHelpText('after', examples('posthouse version --json'))
    .action(() =>
      context.say(`posthouse ${version} on Node ${process.versions.node}`, {
        posthouse: version,
        node: process.versions.node,
      }),
    );
}
