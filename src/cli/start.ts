import type { Node } from '../node/node.ts';
import { EXIT } from './ask.ts';

/** Starts a node and waits for its end; the exit code. */
export async function start(options: { conf?: string; data?: string; domain?: string }): Promise<number> {
  const begun = performance.now();
  const [{ loadConfig }, { makeLog }, { Node }] = await Promise.all([
    import('../node/config/index.ts'),
    import('../node/log.ts'),
    import('../node/node.ts'),
  ]);
  const read = () => loadConfig({ file: options.conf, data: options.data, domain: options.domain });
  const config = await read();
  const log = await makeLog(config.log);
  let node: Node;
  try {
    node = await Node.start({ config, reread: read, log: log.logger, listen: true });
  } catch (error) {
    log.logger.fatal(error instanceof Error ? error.message : String(error));
    log.flush();
    return EXIT.failed;
  }
  log.greet(node, performance.now() - begun);

  const stop = (signal: string) => void node.stop(signal);
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.on('SIGHUP', () => {
    node.reload().catch((error: unknown) => log.logger.error(`the configuration was not reloaded:\n${(error as Error).message}`));
  });
  // a bug outside of any handler: it is told, and the others go on
  process.on('unhandledRejection', reason => log.logger.error({ err: reason }, 'a promise was rejected and nobody looked'));
  process.on('uncaughtException', error => log.logger.error({ err: error }, 'an error that nobody caught'));
  await node.stopped;
  log.flush();
  return EXIT.done;
}
