import type { LoadedConfig } from '../../node/config/index.ts';
import { inspectDatabase } from '../../node/database.ts';
import type { Add } from './finding.ts';

/** Whether the database can be used that the configuration names, if it names one. */
export async function checkDatabase(config: LoadedConfig, add: Add): Promise<void> {
  const { url } = config.values.core.storage;
  if (url === '') return;
  for (const { level, text } of await inspectDatabase(url)) add(level, 'database', text);
}
