import { flushCompileCache } from 'node:module';
import { forPeople, type Log, openLog } from '../node/log.ts';
import { Node } from '../node/node.ts';
import { statusOf } from '../node/status.ts';
import { EXIT } from './ask.ts';
import type { Common } from './context.ts';
import { greeting } from './greeting.ts';
import { mainThreadFirst } from './main-thread-first.ts';
import { readConfig } from './read-config.ts';

/** ms after the start when compiled code is kept for the next one. */
const KEEP_AFTER = 5_000;
/** ms in which two signals are one: at Ctrl-C, npm passes on what the terminal sends as well. */
const ONE_KEY = 500;
/** ms that the process may live on after the node's end. */
const LINGER = 2_000;

/** Starts a node and waits for its end; the exit code. */
export async function start(options: Common): Promise<number> {
  // database, keys, log: for nobody else
  process.umask(0o077);
  mainThreadFirst();
  const config = await readConfig(options);
  const { log: settings } = config.values.core;
  const log = await openLog(settings);
  const { logger } = log;
  const stopping = signals(log);
  let node: Node;
  try {
    node = await Node.start({ config, reread: () => readConfig(options), log: logger, listen: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (forPeople(settings)) process.stderr.write(`posthouse: ${message}\n`);
    else logger.fatal(message);
    log.close();
    return EXIT.failed;
  }
  const seconds = Math.round(process.uptime() * 1000) / 1000;
  if (forPeople(settings)) process.stdout.write(greeting(node, config, seconds));
  else {
    const certificates = [...node.certificates.facts].map(([host, { fingerprint }]) => [host, fingerprint]);
    const { listeners, hosts } = statusOf(node);
    logger.info({ hosts, listeners, certificates: Object.fromEntries(certificates), seconds }, 'ready');
  }
  setTimeout(flushCompileCache, KEEP_AFTER).unref();
  stopping.take(node);
  await node.stopped;
  const code = await node.stop('').then(
    () => EXIT.done,
    (error: unknown) => {
      logger.fatal({ err: error }, 'the node could not be stopped in order');
      return EXIT.failed;
    },
  );
  log.close();
  // what still holds the event loop then is of no use to anybody
  setTimeout(() => process.exit(code), LINGER).unref();
  return code;
}

/** Whoever waits for the node hears how its end went. */
function stopped(end: Promise<void>): void {
  end.catch(() => {});
}

/** What signals do: those that come before there is a node are kept for it. */
function signals({ logger, reopen }: Log): { take(node: Node): void } {
  let node: Node | undefined;
  let asked: string | undefined;
  let askedAt = 0;
  const stop = (signal: string): void => {
    const now = performance.now();
    const again = asked !== undefined;
    if (again && now - askedAt < ONE_KEY) return;
    asked = signal;
    askedAt = now;
    if (!node) return;
    stopped(again ? node.stopNow(`${signal} again`) : node.stop(signal));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => {
    reopen();
    node?.reload().catch((error: unknown) => {
      logger.error(`the configuration was not taken up:\n${(error as Error).message}`);
    });
  });
  // a bug outside of any handler is told, and the others go on
  process.on('unhandledRejection', reason => logger.error({ err: reason }, 'a promise was rejected and nobody looked'));
  process.on('uncaughtException', error => logger.error({ err: error }, 'an error that nobody caught'));
  return {
    take: started => {
      node = started;
      if (asked !== undefined) stopped(node.stop(asked));
    },
  };
}
