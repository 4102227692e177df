import { forPeople, makeLog } from '../node/log.ts';
import { Node } from '../node/node.ts';
import { EXIT } from './ask.ts';
import { greeting } from './greeting.ts';
import { readConfig } from './read-config.ts';

/** Starts a node and waits for its end; the exit code. */
export async function start(options: { conf?: string; data?: string; domain?: string }): Promise<number> {
  const config = await readConfig(options);
  const { log: settings } = config.values.core;
  const { logger, flush } = makeLog(settings);
  let node: Node;
  try {
    node = await Node.start({ config, reread: () => readConfig(options), log: logger, listen: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (forPeople(settings)) process.stderr.write(`posthouse: ${message}\n`);
    else logger.fatal(message);
    flush();
    return EXIT.failed;
  }
  const seconds = Math.round(process.uptime() * 1000) / 1000;
  if (forPeople(settings)) process.stdout.write(greeting(node, config, seconds));
  else logger.info({ listeners: node.status().listeners, hosts: [...node.hosts], seconds }, 'ready');

  process.once('SIGTERM', () => void node.stop('SIGTERM'));
  process.once('SIGINT', () => void node.stop('SIGINT'));
  process.on('SIGHUP', () => {
    node
      .reload()
      .catch((error: unknown) => logger.error(`the configuration was not taken up:\n${(error as Error).message}`));
  });
  // a bug outside of any handler is told, and the others go on
  process.on('unhandledRejection', reason => logger.error({ err: reason }, 'a promise was rejected and nobody looked'));
  process.on('uncaughtException', error => logger.error({ err: error }, 'an error that nobody caught'));
  await node.stopped;
  flush();
  return EXIT.done;
}
