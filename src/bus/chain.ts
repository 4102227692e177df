import { refuse, StanzaError } from '../protocol/index.ts';
import { ADDRESSES, type Address, type Kind, KINDS, type Packet } from './packet.ts';

/** Returned by a handler: the stanza has found its end here; later handlers do not see it, nothing is answered. */
export const DONE = Symbol('done');

/** Go on (undefined), stop quietly (DONE), or stop and answer the sender with an error. */
export type Verdict = void | undefined | typeof DONE | StanzaError;
export type Handler<A, B> = (a: A, b: B) => Verdict | Promise<Verdict>;

/**
 * What a handler of a phase may do. A `gate` may refuse, and refuses when it crashes; `work` may change, stop or wait, and is
 * skipped when it crashes, unless the watch says what the sender is to be told; a `tap` only looks: what it returns is ignored,
 * and nobody waits for it.
 */
export type Role = 'gate' | 'work' | 'tap';

/** Which stanzas a handler wants: all that are left out match. */
export interface Where {
  kind?: (typeof KINDS)[number] | readonly (typeof KINDS)[number][];
  to?: (typeof ADDRESSES)[number] | readonly (typeof ADDRESSES)[number][];
}

export interface Registration<A, B> {
  /** Name of the module, for order, logs and counts. */
  readonly owner: string;
  readonly phase: string;
  readonly where: Where;
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  readonly fn: Handler<A, B>;
}

/** Told of every handler that failed, and asked how long one may take. */
export interface Watch {
  /** Milliseconds that a promise of a handler may take. */
  readonly patience: number;
  /** What the sender is told when the stanza cannot go on after that; undefined: what the handler's role says. */
  failed(owner: string, point: string, error: unknown, packet: Packet): StanzaError | undefined;
  /** Time that handlers of a module took, in milliseconds: every 256th run of a chain is measured. */
  measured?(owner: string, milliseconds: number): void;
}

/** A handler in its place. It stays the same object wherever it stands, so that stanzas on their way meet its present `fn`. */
interface Step<A, B> {
  fn: Handler<A, B>;
  readonly role: Role;
  readonly owner: string;
}

const nothing = (): undefined => undefined;

const CELLS = KINDS.length * ADDRESSES.length;
const SAMPLE = 256;

/**
 * A hook point that stanzas pass: ordered handlers, any of which may stop the stanza or make it wait. The handlers of one kind of
 * stanza to one kind of address stand in one flat array; running it costs a loop.
 */
export class Chain<B> {
  readonly name: string;
  readonly doc: string;
  readonly phases: readonly (readonly [phase: string, role: Role])[];
  watch: Watch = { patience: 10_000, failed: nothing };
  #steps = new Map<Registration<Packet, B>, Step<Packet, B>>();
  #cells: Step<Packet, B>[][] = Array.from({ length: CELLS }, () => []);
  #runs = 0;

  constructor(name: string, doc: string, phases: readonly (readonly [string, Role])[]) {
    this.name = name;
    this.doc = doc;
    this.phases = phases;
  }

  get registrations(): readonly Registration<Packet, B>[] {
    return [...this.#steps.keys()];
  }

  /**
   * Adds a handler; the function returned takes it away again, from stanzas that wait inside the chain too. Throws for an unknown
   * phase, kind or address, and for a circle of before and after; the chain then is as it was.
   */
  add(registration: Registration<Packet, B>): () => void {
    const phase = this.phases.find(([name]) => name === registration.phase);
    if (!phase) {
      const known = this.phases.map(([name]) => name).join(', ');
      throw new Error(`${this.name} has no phase '${registration.phase}' (it has ${known})`);
    }
    const step = { fn: registration.fn, role: phase[1], owner: registration.owner };
    this.#compile(new Map([...this.#steps, [registration, step]]));
    return () => {
      step.fn = nothing;
      if (!this.#steps.has(registration)) return;
      this.#compile(new Map([...this.#steps].filter(([other]) => other !== registration)));
    };
  }

  /** Puts another function in a handler's place, at once and for stanzas that wait inside the chain too. */
  swap(registration: Registration<Packet, B>, fn: Handler<Packet, B>): void {
    const step = this.#steps.get(registration);
    if (step) step.fn = fn;
  }

  #compile(steps: Map<Registration<Packet, B>, Step<Packet, B>>): void {
    const registrations = [...steps.keys()];
    const ordered = this.phases.flatMap(([phase]) => inOrder(registrations.filter(r => r.phase === phase)));
    const cells: Step<Packet, B>[][] = Array.from({ length: CELLS }, () => []);
    for (const registration of ordered) {
      const { kind, to } = registration.where;
      for (const k of indexes(KINDS, kind)) {
        for (const a of indexes(ADDRESSES, to)) cells[k * ADDRESSES.length + a]!.push(steps.get(registration)!);
      }
    }
    this.#steps = steps;
    this.#cells = cells;
  }

  /** Runs the handlers for this stanza. A promise is returned only when a handler returned one. */
  run(packet: Packet, b: B): Verdict | Promise<Verdict> {
    const steps = this.#cells[packet.kind * ADDRESSES.length + packet.address]!;
    if ((++this.#runs & (SAMPLE - 1)) === 0 && this.watch.measured) return this.#measure(steps, packet, b);
    return this.#from(steps, 0, packet, b);
  }

  #from(steps: Step<Packet, B>[], start: number, packet: Packet, b: B): Verdict | Promise<Verdict> {
    for (let i = start; i < steps.length; i++) {
      const step = steps[i]!;
      let result: Verdict | Promise<Verdict>;
      try {
        result = step.fn(packet, b);
      } catch (error) {
        result = this.#failed(step, error, packet);
      }
      if (result === undefined) continue;
      if (result instanceof Promise) {
        const settled = this.#patiently(step, result, packet);
        if (step.role === 'tap') continue;
        return settled.then(verdict => (verdict === undefined ? this.#from(steps, i + 1, packet, b) : verdict));
      }
      if (step.role === 'tap') continue;
      const verdict = this.#checked(step, result, packet);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  /** A verdict, or what it is when a handler returned something else. */
  #checked(step: Step<Packet, B>, result: Verdict, packet: Packet): Verdict {
    if (result === undefined || result === DONE || result instanceof StanzaError || step.role === 'tap') return result;
    return this.#failed(step, new TypeError(`a handler returned ${typeof result}, which is no verdict`), packet);
  }

  #failed(step: Step<Packet, B>, error: unknown, packet: Packet): Verdict {
    const told = this.watch.failed(step.owner, this.name, error, packet);
    if (step.role === 'tap') return undefined;
    return told ?? (step.role === 'gate' ? refuse('internal-server-error') : undefined);
  }

  async #patiently(step: Step<Packet, B>, result: Promise<Verdict>, packet: Packet): Promise<Verdict> {
    let timer: NodeJS.Timeout | undefined;
    const { patience } = this.watch;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience).unref();
    });
    try {
      return this.#checked(step, await Promise.race([result, late]), packet);
    } catch (error) {
      return this.#failed(step, error, packet);
    } finally {
      clearTimeout(timer);
    }
  }

  #measure(steps: Step<Packet, B>[], packet: Packet, b: B): Verdict | Promise<Verdict> {
    for (let i = 0; i < steps.length; i++) {
      const begun = performance.now();
      const result = this.#from(steps.slice(i, i + 1), 0, packet, b);
      this.watch.measured!(steps[i]!.owner, performance.now() - begun);
      if (result instanceof Promise) {
        return result.then(verdict => (verdict === undefined ? this.#from(steps, i + 1, packet, b) : verdict));
      }
      if (result !== undefined) return result;
    }
    return undefined;
  }
}

function indexes<T extends string>(all: readonly T[], wanted: T | readonly T[] | undefined): number[] {
  if (wanted === undefined) return all.map((_, index) => index);
  return [...new Set(typeof wanted === 'string' ? [wanted] : wanted)].map(name => {
    const index = all.indexOf(name);
    if (index < 0) throw new Error(`there is no '${name}' here (there is ${all.join(', ')})`);
    return index;
  });
}

/** Before and after first, then by name of the module; never by when it was loaded. */
export function inOrder<T extends { owner: string; before?: readonly string[]; after?: readonly string[] }>(
  items: readonly T[],
): T[] {
  const left = items.toSorted((a, b) => (a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : 0));
  const out: T[] = [];
  while (left.length > 0) {
    const waitsFor = (item: T, other: T): boolean =>
      other.owner !== item.owner && !!(item.after?.includes(other.owner) || other.before?.includes(item.owner));
    const index = left.findIndex(item => !left.some(other => waitsFor(item, other)));
    if (index < 0)
      throw new Error(`before and after go in a circle: ${[...new Set(left.map(item => item.owner))].join(', ')}`);
    out.push(...left.splice(index, 1));
  }
  return out;
}

/** Whether a registration wants this kind of stanza at this kind of address; for documentation and tests. */
export function matches(where: Where, kind: Kind, address: Address): boolean {
  return indexes(KINDS, where.kind).includes(kind) && indexes(ADDRESSES, where.to).includes(address);
}
