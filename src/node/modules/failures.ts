import type { Logger } from 'pino';
import type { Chain, Fact, Packet, Points, Watch } from '../../bus/index.ts';
import { refuse, type StanzaError } from '../../protocol/index.ts';
import { StorageError } from '../../storage/index.ts';
import type { Count, Metrics } from '../metrics.ts';
import { storageRefusal } from '../stanza-failures.ts';

/** Milliseconds that a stanza waits for a handler at a point. */
export const PATIENCE = 10_000;
/** Milliseconds that an answer to a request may take. */
export const ANSWER = 30_000;
const MINUTE = 60_000; // ms
const SAMPLES = 256; // a chain measures one run of so many

/** Failures of one module in the minute at hand. */
interface Minute {
  since: number;
  failures: number;
}

/** What goes wrong inside modules: logged with the module's name, counted, and answered. Never with what a stanza says. */
export class Failures {
  private readonly log: Logger;
  private readonly metrics: Metrics;
  private readonly loud: number;
  private readonly now: () => number;
  private readonly minutes = new Map<string, Minute>();

  /** `loud`: failures of a module within a minute after which that is said loudly, and the rest of that minute only counted. */
  constructor(log: Logger, metrics: Metrics, loud = 100, now: () => number = () => performance.now()) {
    this.log = log;
    this.metrics = metrics;
    this.loud = loud;
    this.now = now;
  }

  /** Notes a failure of a module at a point; `packet` is the stanza that it had to do with. */
  note(module: string, point: string, error: unknown, packet?: Packet): void {
    this.metrics.counter('posthouse_module_failures_total', 'Failures inside modules.', { module, point }).inc();
    const stanza = packet && { id: packet.id, from: packet.from.full };
    if (error instanceof StorageError && error.told) {
      // no fault of the module's; the storage tells of it once, loudly
      this.log.debug({ err: error, module, point, ...stanza }, 'a module failed');
      return;
    }
    const minute = this.minuteOf(module);
    minute.failures++;
    if (minute.failures <= this.loud) {
      this.log.error({ err: error, module, point, ...stanza }, 'a module failed');
    }
    if (minute.failures === this.loud) {
      this.log.fatal(
        { module, failures: minute.failures },
        `the module ${module} fails again and again: 'posthouse module reload ${module}' takes its code anew, 'posthouse module unload ${module}' ends it`,
      );
    }
  }

  private minuteOf(module: string): Minute {
    const now = this.now();
    let minute = this.minutes.get(module);
    if (!minute || now - minute.since >= MINUTE) this.minutes.set(module, (minute = { since: now, failures: 0 }));
    return minute;
  }

  /** What the sender of a stanza is told of a failure. */
  refusal(error: unknown): StanzaError {
    if (!(error instanceof StorageError)) return refuse('internal-server-error');
    const help = 'Stanzas refused because the storage failed.';
    this.metrics.counter('posthouse_storage_failures_total', help, { kind: error.kind }).inc();
    return storageRefusal(error);
  }

  /** Has itself told of all failures at these points, and of the time that handlers take. */
  watch(points: Points): void {
    const times = new Map<string, Count>();
    const watch: Watch = {
      patience: PATIENCE,
      failed: (owner, point, error, packet) => {
        this.note(owner, point, error, packet);
        // what could not be stored did not happen: nobody is to believe that it did
        return error instanceof StorageError ? this.refusal(error) : undefined;
      },
      measured: (owner, milliseconds) => {
        let time = times.get(owner);
        if (!time) {
          const help = 'Time in handlers of a module, estimated from samples.';
          time = this.metrics.counter('posthouse_module_seconds_total', help, { module: owner });
          times.set(owner, time);
        }
        time.inc((milliseconds * SAMPLES) / 1000);
      },
    };
    for (const point of Object.values(points)) {
      if ('run' in point) (point as Chain<unknown>).watch = watch;
      else {
        (point as Fact<unknown, unknown>).failed = (owner, name, error) => this.note(owner, name, error);
      }
    }
  }
}
