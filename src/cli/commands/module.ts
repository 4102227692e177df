import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { type Context, examples } from '../context.ts';

/** `posthouse module ...` */
export function moduleCommands(program: Command, context: Context): void {
  const module = program
    .command('module')
    .description('modules of the running node')
    .addHelpText('after', examples('posthouse module list', 'posthouse module reload roster'));
  module
    .command('list')
    .description('list modules and what they do')
    .addHelpText('after', examples('posthouse module list', 'posthouse module list --json'))
    .action(() =>
      context.run(async ask => {
        const rows = (await ask('module.list', {})) as Record<string, unknown>[];
        context.table(rows, ['name', 'state', 'doc'], 'No module is loaded.');
      }),
    );
  for (const [name, description, done] of [
    ['load', 'load a module: a name, an npm package, or a path', 'is loaded'],
    ['unload', 'unload a module; no session is touched', 'is unloaded'],
    ['reload', 'load the code of a module anew; no session is touched', 'is reloaded'],
  ] as const) {
    const command = module
      .command(name)
      .description(`${description}; until the next start`)
      .argument('<name>', 'the module')
      .addHelpText('after', examples(`posthouse module ${name} ${name === 'load' ? './my-module' : 'vcard'}`));
    if (name === 'reload') command.description(description);
    if (name === 'unload') command.option('--cascade', 'with the modules that need it');
    command.action((given: string, options: { cascade?: boolean }) =>
      context.run(async ask => {
        const { cascade } = options;
        context.say(
          `${given} ${done}.`,
          await ask(`module.${name}`, { name: name === 'load' ? located(given) : given, cascade }),
        );
      }),
    );
  }
}

/** A path counts from the folder where the command is given, or else from that of the node's configuration. */
function located(name: string): string {
  const here = path.resolve(name);
  return name.startsWith('.') && existsSync(here) ? here : name;
}
