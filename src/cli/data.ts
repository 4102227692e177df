import { openLog } from '../node/log.ts';
import { Node } from '../node/node.ts';
import { Operations } from '../node/operations.ts';
import type { Common } from './context.ts';
import { readConfig } from './read-config.ts';

export { FolderInUse } from '../node/node.ts';

/** Opens the data folder for operations on it, without listening to anybody. */
export async function openData(options: Common) {
  process.umask(0o077);
  const config = await readConfig(options);
  const { logger } = await openLog({ level: 'warn', format: 'auto', file: '' }, 2);
  const node = await Node.start({ config, reread: () => readConfig(options), log: logger, listen: false });
  const operations = new Operations(node);
  return {
    run: (request: unknown) => operations.run(request),
    close: () => node.stop('done'),
  };
}
