import type { Command } from 'commander';
import { type Context, examples } from '../context.ts';
import { print } from '../print.ts';

/** `posthouse config ...` */
export function configCommands(program: Command, context: Context): void {
  const config = program
    .command('config')
    .description('configuration of the running node')
    .addHelpText('after', examples('posthouse config show', 'posthouse config reload'));
  config
    .command('show')
    .description('show the configuration in force, secrets hidden')
    .addHelpText('after', examples('posthouse config show', 'posthouse config show --json'))
    .action(() =>
      context.run(async ask => {
        const result = (await ask('config.show', {})) as { text: string; values: unknown };
        print(context.options.json === true, result.values, () => result.text);
      }),
    );
  config
    .command('reload')
    .description('read the configuration file again: all of it or, if anything is wrong, nothing')
    .addHelpText('after', examples('posthouse check && posthouse config reload'))
    .action(() =>
      context.run(async ask => {
        const result = (await ask('config.reload', {})) as { changed: string[]; restart: string[] };
        const { changed, restart } = result;
        const done = changed.length > 0 ? `In force: ${changed.join(', ')}.` : 'Nothing new is in force.';
        const open = restart.length > 0 ? `\nOther than at the start, for the next one: ${restart.join(', ')}.` : '';
        context.say(changed.length + restart.length === 0 ? 'Nothing changed.' : done + open, result);
      }),
    );
}
