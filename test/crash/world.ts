import { setTimeout as pause } from 'node:timers/promises';
import { readArchive } from './archive.ts';
import { Device } from './device.ts';
import { Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import type { CrashServer } from './server.ts';

const TICK = 10; // ms
/** A device that waits for so many acknowledgements writes nothing more for now. */
const UNACKNOWLEDGED = 150;
/** ms without a change after which nothing more is expected; and when all has come that was acknowledged. */
const QUIET = 1_000;
const QUIET_WHEN_COMPLETE = 400;
const DRAIN = 60_000; // ms that a drain may take

export interface WorldOptions {
  readonly server: CrashServer;
  readonly random: Random;
  readonly users: number;
  readonly devices: number;
  /** Messages a second, of all together. */
  readonly rate: number;
  /** `halves`: the first half of the users writes to the second. */
  readonly talk: 'everybody' | 'halves';
  readonly forgetful?: boolean | undefined;
}

/** People with devices who write to each other, and the ledger of it. */
export class World {
  readonly ledger = new Ledger();
  readonly devices: readonly Device[];
  readonly users: readonly string[];
  readonly random: Random;
  readonly server: CrashServer;
  private readonly options: WorldOptions;
  private readonly words: Random;
  private load: NodeJS.Timeout | undefined;
  private owed = 0;
  /** Called each time a device has written <resume/>. */
  onResuming: (() => void) | undefined;

  constructor(options: WorldOptions) {
    const { server, random } = options;
    this.options = options;
    this.server = server;
    this.random = random;
    this.words = random.fork('words');
    this.users = Array.from({ length: options.users }, (_, n) => `u${n}`);
    const habits = random.fork('habits');
    this.devices = this.users.flatMap(user => {
      const keys = new Map<string, Buffer>();
      return Array.from(
        { length: options.devices },
        (_, n) =>
          new Device({
            user,
            resource: `d${n}`,
            keys,
            ledger: this.ledger,
            port: () => server.port,
            slowness: habits.pick([0, 0, 0, 5, 50, 300]),
            asking: habits.between(1, 5),
            forgetful: options.forgetful ?? false,
            resuming: () => this.onResuming?.(),
            resumed: (_device, success) => {
              this.ledger.resumptions++;
              if (!success) this.ledger.unresumed++;
            },
          }),
      );
    });
  }

  get writers(): readonly Device[] {
    if (this.options.talk === 'everybody') return this.devices;
    return this.devices.slice(0, this.devices.length / 2);
  }

  get readers(): readonly Device[] {
    if (this.options.talk === 'everybody') return this.devices;
    return this.devices.slice(this.devices.length / 2);
  }

  /** Makes the accounts. */
  async found(): Promise<void> {
    const firsts = this.devices.filter((_, index) => index % this.options.devices === 0);
    for (let at = 0; at < firsts.length; at += 8) {
      await Promise.all(firsts.slice(at, at + 8).map(device => device.register()));
    }
  }

  /** Waits until these are there. */
  async there(devices: readonly Device[], patience = 60_000): Promise<boolean> {
    const end = performance.now() + patience;
    while (!devices.every(device => device.online)) {
      if (performance.now() > end) return false;
      await pause(TICK);
    }
    return true;
  }

  // ---- what they write ------------------------------------------------------------------------------------------------------

  /** Writes on, at the rate, whoever of the writers is there. */
  write(): void {
    let last = performance.now();
    this.load ??= setInterval(() => {
      const now = performance.now();
      this.owed = Math.min(this.owed + ((now - last) * this.options.rate) / 1000, this.options.rate / 10);
      last = now;
      for (; this.owed >= 1; this.owed--) this.one(this.words.pick(this.writers));
    }, TICK);
  }

  pause(): void {
    clearInterval(this.load);
    this.load = undefined;
  }

  /** Many at once, which go into one commit. */
  burst(messages: number): void {
    for (let n = 0; n < messages; n++) this.one(this.words.pick(this.writers));
  }

  private one(from: Device): void {
    if (!from.online || from.unacknowledged >= UNACKNOWLEDGED) return;
    const { user } = this.words.pick(this.readers);
    if (user !== from.user) from.say(user);
  }

  // ---- the end --------------------------------------------------------------------------------------------------------------

  /** All come, send what they still have, and take what is there for them, until nothing moves any more. */
  async drain(): Promise<void> {
    this.pause();
    const { ledger } = this;
    for (const device of this.devices) device.come();
    const end = performance.now() + DRAIN;
    ledger.changed = performance.now();
    for (;;) {
      await pause(50);
      const now = performance.now();
      const all = this.devices.every(device => device.online && device.unacknowledged === 0);
      const quiet = now - ledger.changed;
      if (all && (quiet > QUIET || (quiet > QUIET_WHEN_COMPLETE && ledger.complete))) return;
      if (now > end) {
        const waiting = this.devices.filter(device => !device.online || device.unacknowledged > 0);
        ledger.fault(`${waiting.map(({ name }) => name).join(', ') || 'somebody'} did not come to rest`);
        return;
      }
      // what acknowledgement a kill took is asked for again
      if (!all && quiet > QUIET) for (const device of this.devices) device.ask();
    }
  }

  /** Compares the archives with the ledger, if the server keeps any. True when it does. */
  async compareArchives(forgiven?: ReadonlySet<string>): Promise<boolean> {
    const { devices } = this.options;
    for (const [index, device] of this.devices.entries()) {
      if (index % devices !== 0) continue;
      const ids = await readArchive(device);
      if (!ids) return false;
      this.ledger.archived(device.user, ids, forgiven);
    }
    return true;
  }

  async remove(): Promise<void> {
    this.pause();
    this.onResuming = undefined;
    await Promise.all(this.devices.map(device => device.vanish()));
  }
}
