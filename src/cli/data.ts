import { makeLog } from '../node/log.ts';
import { Node } from '../node/node.ts';
import { Operations } from '../node/operations.ts';
import { readConfig } from './read-config.ts';

/** Opens the data folder for operations on it, without listening to anybody. */
export async function openData(options: { conf?: string; data?: string; domain?: string }) {
  const config = await readConfig(options);
  const { logger } = makeLog({ level: 'warn', format: 'auto', file: '' }, 2);
  const node = await Node.start({ config, reread: () => readConfig(options), log: logger, listen: false });
  const operations = new Operations(node);
  return {
    run: (request: unknown) => operations.run(request),
    close: () => node.stop('done'),
  };
}
