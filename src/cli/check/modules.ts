import type { LoadedConfig } from '../../node/config/index.ts';
import { findModule } from '../../node/modules/find.ts';
import type { Add } from './finding.ts';

/** What modules say of themselves: whether they can work here as they are set up. */
export async function checkModules(config: LoadedConfig, add: Add): Promise<void> {
  for (const name of Object.keys(config.values.modules)) {
    const { definition } = await findModule(name, config.folder);
    if (!definition.check) continue;
    const about = `module ${name}`;
    // checked by the same declaration
    const options = config.moduleOptions(name) as Parameters<typeof definition.check>[0];
    const problems = await definition.check(options, config.values.core.storage.folder);
    for (const problem of problems) add('problem', about, problem);
    if (problems.length === 0) add('ok', about, 'it can work as it is set up');
  }
}
