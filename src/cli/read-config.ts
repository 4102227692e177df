import type { Common } from './context.ts';
import { type LoadedConfig, loadConfig } from '../node/config/index.ts';
import { optionsOfModule } from '../node/modules/find.ts';

/** The configuration that the options of the command line name. */
export function readConfig(options: Common): Promise<LoadedConfig> {
  return loadConfig({ file: options.conf, data: options.data, domain: options.domain, moduleOptions: optionsOfModule });
}
