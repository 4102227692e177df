/*
 * The way of notifications to push services. Of a device one is on its way at a time; what comes meanwhile makes one more, which tells how it is
 * then. Services that are slow or away keep nobody else waiting.
 */
import { type MaybePromise, type Packet, Unhurried } from '../../src/api/index.ts';
import type { Element } from '../../src/xml/index.ts';
import type { Registration } from './registration.ts';

/** Milliseconds: after the first failure, and at most. */
const FIRST = 2_000;
const LONGEST = 1_800_000;

/** What a device is to be told, apart from what is counted when it goes. */
export interface Told {
  readonly isCall: boolean;
  readonly sender: Registration['account'] | undefined;
  readonly body: string;
}

export interface PublisherOptions {
  /** Seconds. */
  readonly pause: number;
  readonly timeout: number;
  readonly failures: number;
  readonly atOnce: number;
  readonly queue: number;
}

export interface PublisherParts {
  options(registration: Registration): PublisherOptions;
  /** The notification as it is now; undefined where none is needed any more. */
  payload(registration: Registration, told: Told): MaybePromise<Element | undefined>;
  ask(registration: Registration, payload: Element, milliseconds: number): Promise<Packet | undefined>;
  /** The service will have nothing of it any more. */
  disable(registration: Registration, why: string): Promise<void>;
  failed(error: unknown): void;
  count: Record<'dropped' | 'failed' | 'sent', { inc(by?: number): void }>;
}

class Device {
  registration: Registration;
  waiting: Told | undefined;
  isBusy = false;
  isQueued = false;
  /** When the next one may go, in milliseconds since 1970. */
  next = 0;
  failures = 0;
  timer: NodeJS.Timeout | undefined;

  constructor(registration: Registration) {
    this.registration = registration;
  }
}

/** A push service, by its address. */
class Service {
  busy = 0;
  failures = 0;
  next = 0;
  readonly queue: Device[] = [];
}

export class Publisher {
  private readonly parts: PublisherParts;
  private readonly devices = new Map<string, Device>();
  private readonly services = new Map<string, Service>();
  private readonly unhurried = new Unhurried();
  private isOver = false;

  constructor(parts: PublisherParts) {
    this.parts = parts;
  }

  /** Devices that have something under way, or failed lately. */
  get size(): number {
    return this.devices.size;
  }

  tell(registration: Registration, told: Told): void {
    let device = this.devices.get(registration.key);
    if (!device) {
      if (this.devices.size >= this.parts.options(registration).queue) {
        this.parts.count.dropped.inc();
        return;
      }
      this.devices.set(registration.key, (device = new Device(registration)));
    }
    device.registration = registration;
    // a call stays one
    device.waiting = device.waiting?.isCall ? { ...told, isCall: true } : told;
    // it is of use at once or not at all, unless the service fails
    if (told.isCall && device.failures === 0) device.next = 0;
    this.look(device);
  }

  /** Forgets devices of which there is nothing to remember any more. */
  sweep(now = Date.now()): void {
    for (const [key, device] of this.devices)
      if (!device.isBusy && !device.waiting && device.next + LONGEST * Math.min(1, device.failures) <= now)
        this.devices.delete(key);
    for (const [address, service] of this.services)
      if (service.busy === 0 && service.queue.length === 0 && service.next <= now) this.services.delete(address);
  }

  end(): void {
    this.isOver = true;
    for (const { timer } of this.devices.values()) clearTimeout(timer);
    this.devices.clear();
  }

  private look(device: Device): void {
    if (this.isOver || device.isBusy || device.isQueued || !device.waiting) return;
    const service = this.serviceOf(device);
    const wait = Math.max(device.next, service.next) - Date.now();
    clearTimeout(device.timer);
    if (wait > 0) {
      device.timer = setTimeout(() => this.look(device), wait).unref();
      return;
    }
    if (service.busy >= this.parts.options(device.registration).atOnce) {
      device.isQueued = true;
      service.queue.push(device);
      return;
    }
    void this.send(device, service);
  }

  private serviceOf({ registration }: Device): Service {
    const address = registration.service.full;
    let service = this.services.get(address);
    if (!service) this.services.set(address, (service = new Service()));
    return service;
  }

  private async send(device: Device, service: Service): Promise<void> {
    device.isBusy = true;
    service.busy++;
    await this.unhurried.turn();
    const told = device.waiting!;
    const { registration } = device;
    device.waiting = undefined;
    try {
      const payload = await this.parts.payload(registration, told);
      if (payload && !this.isOver) await this.publish(device, service, told, payload);
    } catch (error) {
      this.parts.failed(error);
    }
    device.isBusy = false;
    service.busy--;
    if (this.devices.get(registration.key) === device) {
      if (device.waiting || device.next > Date.now() || device.failures > 0) this.look(device);
      else this.devices.delete(registration.key);
    }
    while (service.queue.length > 0 && service.busy < this.parts.options(registration).atOnce) {
      const next = service.queue.shift()!;
      next.isQueued = false;
      this.look(next);
    }
  }

  private async publish(device: Device, service: Service, told: Told, payload: Element): Promise<void> {
    const { registration } = device;
    const { pause, timeout, failures } = this.parts.options(registration);
    const answer = await this.parts.ask(registration, payload, timeout * 1000);
    if (answer?.type === 'result') {
      this.parts.count.sent.inc();
      device.failures = service.failures = 0;
      device.next = Date.now() + pause * 1000;
      return;
    }
    this.parts.count.failed.inc();
    device.failures++;
    // XEP-0357 7: what may pass by itself is borne for a while
    if ((answer && !isTransient(answer)) || device.failures >= failures) {
      device.waiting = undefined;
      device.failures = 0;
      await this.parts.disable(registration, answer ? conditionOf(answer) : 'no answer');
      return;
    }
    device.next = Date.now() + backOff(device.failures);
    if (!answer) service.next = Date.now() + backOff(++service.failures);
    // a call is over by then, and something that was missed
    device.waiting ??= { ...told, isCall: false };
  }
}

/** Twice as long each time, and never at the same time as all others. */
function backOff(failures: number): number {
  return Math.min(LONGEST, FIRST * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
}

/** Conditions that say that a service is not there now, whatever their type. */
const AWAY: ReadonlySet<string> = new Set([
  'internal-server-error',
  'recipient-unavailable',
  'remote-server-not-found',
  'remote-server-timeout',
  'resource-constraint',
  'service-unavailable',
]);

function isTransient(answer: Packet): boolean {
  return errorOf(answer)?.attrs.type === 'wait' || AWAY.has(conditionOf(answer));
}

function errorOf(answer: Packet): Element | undefined {
  return answer.element().getChild('error') ?? undefined;
}

function conditionOf(answer: Packet): string {
  return errorOf(answer)?.getChildElements()[0]?.name ?? 'undefined-condition';
}
