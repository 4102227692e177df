/*
 * The way to the vendors: so many at a time over each channel, of a device one, tried again later and later, and given up in the end. What
 * comes for a device meanwhile takes the place of what waits: it tells more.
 */
import { Unhurried } from '../../src/api/index.ts';
import type { Outcome, Payload, PushChannel } from './channel.ts';
import type { Device } from './device.ts';

/** Milliseconds: after the first attempt, and at most. */
const FIRST = 1_000;
const LONGEST = 600_000;
/** Milliseconds behind which nobody is called any more. */
const CALL_END = 30_000;

export interface DispatcherOptions {
  readonly atOnce: number;
  readonly attempts: number;
  readonly queue: number;
}

export interface DispatcherParts {
  options(): DispatcherOptions;
  /** The vendor knows the device no more. */
  gone(device: Device, why: string): void;
  told(device: Device, outcome: Exclude<Outcome['is'], 'gone'> | 'given up', why: string): void;
}

interface Line {
  readonly channel: PushChannel;
  busy: number;
  /** Nothing goes before, in milliseconds since 1970. */
  next: number;
  readonly queue: Work[];
}

interface Waiting {
  readonly payload: Payload;
  readonly since: number;
  attempts: number;
}

interface Work {
  device: Device;
  readonly line: Line;
  waiting: Waiting | undefined;
  isBusy: boolean;
  isQueued: boolean;
  next: number;
  timer: NodeJS.Timeout | undefined;
}

export class Dispatcher {
  private readonly parts: DispatcherParts;
  private readonly lines = new Map<string, Line>();
  private readonly works = new Map<string, Work>();
  private readonly unhurried = new Unhurried();
  private isOver = false;

  constructor(parts: DispatcherParts, channels: Iterable<PushChannel>) {
    this.parts = parts;
    for (const channel of channels) this.lines.set(channel.name, { channel, busy: 0, next: 0, queue: [] });
  }

  /** Devices that have something under way. */
  get size(): number {
    return this.works.size;
  }

  has(channel: string): boolean {
    return this.lines.has(channel);
  }

  /** Takes something for a device; 'full' when too much is under way. */
  send(device: Device, payload: Payload): 'full' | 'no channel' | undefined {
    const line = this.lines.get(device.channel);
    if (!line || this.isOver) return 'no channel';
    let work = this.works.get(device.node);
    if (!work) {
      if (this.works.size >= this.parts.options().queue) return 'full';
      const fresh = { device, line, waiting: undefined, isBusy: false, isQueued: false, next: 0, timer: undefined };
      this.works.set(device.node, (work = fresh));
    }
    work.device = device;
    // a call that has not gone yet stays one
    const isCall = payload.isCall || (work.waiting?.payload.isCall ?? false);
    work.waiting = { payload: { ...payload, isCall }, since: Date.now(), attempts: work.waiting?.attempts ?? 0 };
    this.look(work);
    return undefined;
  }

  /** A device is no more, or another. */
  forget(node: string): void {
    const work = this.works.get(node);
    if (!work) return;
    work.waiting = undefined;
    clearTimeout(work.timer);
    if (!work.isBusy && !work.isQueued) this.works.delete(node);
  }

  end(): void {
    this.isOver = true;
    for (const { timer } of this.works.values()) clearTimeout(timer);
    for (const { queue } of this.lines.values()) queue.length = 0;
    this.works.clear();
  }

  private look(work: Work): void {
    if (this.isOver || work.isBusy || work.isQueued) return;
    if (!work.waiting) {
      this.works.delete(work.device.node);
      return;
    }
    const { line } = work;
    clearTimeout(work.timer);
    const wait = Math.max(work.next, line.next) - Date.now();
    if (wait > 0) {
      work.timer = setTimeout(() => this.look(work), wait).unref();
      return;
    }
    if (line.busy >= this.parts.options().atOnce) {
      work.isQueued = true;
      line.queue.push(work);
      return;
    }
    void this.attempt(work, line);
  }

  private async attempt(work: Work, line: Line): Promise<void> {
    work.isBusy = true;
    line.busy++;
    await this.unhurried.turn();
    const { waiting } = work;
    // it was forgotten meanwhile
    if (!waiting) return this.free(work, line);
    const { device } = work;
    work.waiting = undefined;
    const payload = Date.now() - waiting.since > CALL_END ? { ...waiting.payload, isCall: false } : waiting.payload;
    let outcome: Outcome;
    try {
      outcome = await line.channel.send(device.target, payload);
    } catch (error) {
      outcome = { is: 'refused', why: (error as Error).message };
    }
    if (!this.isOver) this.take(work, waiting, outcome);
    this.free(work, line);
  }

  private free(work: Work, line: Line): void {
    line.busy--;
    work.isBusy = false;
    if (this.isOver) return;
    this.look(work);
    while (line.queue.length > 0 && line.busy < this.parts.options().atOnce) {
      const next = line.queue.shift()!;
      next.isQueued = false;
      this.look(next);
    }
  }

  private take(work: Work, waiting: Waiting, outcome: Outcome): void {
    const { device, line } = work;
    if (outcome.is === 'gone') {
      work.waiting = undefined;
      this.parts.gone(device, outcome.why);
      return;
    }
    if (outcome.is !== 'retry') {
      work.next = 0;
      this.parts.told(device, outcome.is, outcome.is === 'refused' ? outcome.why : '');
      return;
    }
    const attempts = waiting.attempts + 1;
    if (attempts >= this.parts.options().attempts) {
      this.parts.told(device, 'given up', outcome.why);
      return;
    }
    this.parts.told(device, 'retry', outcome.why);
    const wait = outcome.after === undefined ? backOff(attempts) : outcome.after * 1000 * (1 + Math.random() / 10);
    work.next = Date.now() + wait;
    if (outcome.all) line.next = Math.max(line.next, work.next);
    // what came meanwhile tells more, and has failed as often
    if (work.waiting) work.waiting.attempts = attempts;
    else work.waiting = { ...waiting, attempts };
  }
}

/** Twice as long each time, and never at the same time as all others. */
function backOff(attempts: number): number {
  return Math.min(LONGEST, FIRST * 2 ** (attempts - 1)) * (0.5 + Math.random() / 2);
}
