import type { Logger } from 'pino';
import type {
  AbsentAnswers,
  Answer,
  Fact,
  IqRequest,
  Packet,
  Points,
  SessionView,
  Verdict,
  Where,
} from '../bus/index.ts';
import type { Migration, Storage } from './storage.ts';
import type { Collections } from './collections.ts';
import type { NodeView } from './node-view.ts';
import type { OptionsOf, OptionsSchema } from './options.ts';

/** The names of the points that stanzas pass. */
export type ChainName = {
  [K in keyof Points]: Points[K] extends { run: unknown } ? K : never;
}[keyof Points];
/** The names of the points that only tell. */
export type FactName = Exclude<keyof Points, ChainName>;

type ChainArgument<K extends ChainName> = Parameters<Points[K]['run']>[1];
type FactArguments<K extends FactName> = Points[K] extends Fact<infer A, infer B> ? [a: A, b: B] : never;

/** A service that one module offers to others, by a key from its contract.ts. */
export interface ServiceKey<T> {
  readonly name: string;
  /** Never read: it carries the type. */
  readonly type?: T;
}
export function serviceKey<T>(name: string): ServiceKey<T> {
  return { name };
}

/** A place on every session for one module's value. */
export interface Slot<T> {
  get(session: SessionView): T;
  set(session: SessionView, value: T): void;
}

/** How a value on a session is kept when the program ends while the session can be resumed: as what JSON can hold. */
export interface SlotJson<T> {
  /** Undefined: there is nothing to keep. */
  write(value: T): unknown;
  read(json: unknown): T;
}

/** Of values that JSON holds as they are. */
export function plain<T extends boolean | number | string>(): SlotJson<T> {
  return { write: value => value, read: json => json as T };
}

export interface IqOptions {
  readonly xmlns: string;
  /** Payload's name; any when left out. */
  readonly name?: string;
  /** Default 'both'. */
  readonly type?: 'get' | 'set' | 'both';
  readonly to: 'account' | 'host' | 'both';
  /** Who may ask an account. Default 'owner'; others get service-unavailable, as from an account that is not there. */
  readonly from?: 'owner' | 'anyone';
  /**
   * What is said for an account that is not there, where strangers are refused otherwise than by service-unavailable: so that nobody
   * can tell the one from the other.
   */
  readonly absent?: AbsentAnswers;
}

/** What a module gets to register with. The loader undoes all of it at unload, in reverse order. */
export interface Mod<O extends OptionsSchema = OptionsSchema, S = unknown> {
  readonly name: string;
  readonly log: Logger;
  readonly node: NodeView;
  readonly storage: Storage;
  /** What `stores` opened. */
  readonly stores: S;
  /** Options as they are now, for a host (with its overrides) or for the node. Read them when needed: some change live. */
  options(host?: string): OptionsOf<O>;
  /** Whether the module is on for that host. Handlers and IQs registered here are asked only for hosts where it is. */
  enabled(host: string): boolean;
  /** Aborted at unload. */
  readonly signal: AbortSignal;

  /** A handler at a point that stanzas pass. Phases: 'gate', 'work', 'tap' (src/bus/points.ts). */
  on<K extends ChainName>(
    point: K,
    phase: 'gate' | 'work' | 'tap',
    where: Where,
    fn: (packet: Packet, argument: ChainArgument<K>) => Verdict | Promise<Verdict>,
    order?: { before?: readonly string[]; after?: readonly string[] },
  ): void;
  /** A listener for what has happened. */
  when<K extends FactName>(fact: K, fn: (...args: FactArguments<K>) => void | Promise<void>): void;
  /** Answers an IQ request to an account or a host. */
  iq(options: IqOptions, fn: (request: IqRequest) => Answer | Promise<Answer>): void;
  /** Adds to one of the collections (src/api/collections.ts). */
  add<K extends keyof Collections>(collection: K, item: Parameters<Collections[K]['add']>[1]): void;
  /** What all modules have added. */
  readonly collections: Collections;
  /** Advertises a disco feature (XEP-0030) of the host, of accounts, or of both. */
  feature(of: 'host' | 'account' | 'both', feature: string, when?: (host: string) => boolean): void;
  /** Runs a job every so many milliseconds; runs do not overlap; a failure is logged and counted. */
  every(milliseconds: number, job: () => void | Promise<void>): void;
  /**
   * A value on every session. It stays when the module is reloaded: the new code gets what the old one left, by the order of the calls.
   * With `json` it also outlives the program, as it was at the last `set`, on sessions that can be resumed.
   */
  perSession<T>(init: (session: SessionView) => T, json?: SlotJson<T>): Slot<T>;
  provide<T>(key: ServiceKey<T>, service: T): void;
  /** A service of a module named in `needs`. Throws when it is not there. */
  use<T>(key: ServiceKey<T>): T;
  /** A service that may be there or not; asked anew each time. */
  maybe<T>(key: ServiceKey<T>): T | undefined;
  /** Runs at unload. */
  cleanup(fn: () => void | Promise<void>): void;
  /** Raises the fact `taken`: a message was put in these sessions' outboxes. For modules that choose sessions themselves. */
  taken(packet: Packet, sessions: readonly SessionView[]): void;
  /** A counter for /metrics: posthouse_<module>_<name>_total. */
  count(name: string, help: string): { inc(by?: number): void };
}

/** A table or more that a module keeps, with the migrations that make them. */
export interface StoreDefinition<T> {
  readonly migrations: readonly Migration[];
  open(storage: Storage): T | Promise<T>;
}

export type Stores<D extends Record<string, StoreDefinition<unknown>>> = {
  [K in keyof D]: D[K] extends StoreDefinition<infer T> ? T : never;
};

/** A XEP that a module implements, for documentation and the DOAP file. */
export interface XepClaim {
  readonly number: number;
  /** Of the XEP's text. */
  readonly version: string;
  /** 'partial' where something is missing that the text asks of a server; 'complete' when left out. */
  readonly status?: 'complete' | 'partial';
  readonly note?: string;
}

export interface ModuleDefinition<
  O extends OptionsSchema = OptionsSchema,
  D extends Record<string, StoreDefinition<unknown>> = Record<string, StoreDefinition<unknown>>,
> {
  readonly name: string;
  /** One sentence. */
  readonly doc: string;
  readonly xeps?: readonly XepClaim[];
  /** Sections of RFCs, for documentation. */
  readonly rfcs?: readonly string[];
  /** Modules that must be loaded before it. */
  readonly needs?: readonly string[];
  /** Modules that are loaded before it if they are on. */
  readonly after?: readonly string[];
  /** Disco features it always stands for; those that depend on something are added in setup. */
  readonly features?: { readonly host?: readonly string[]; readonly account?: readonly string[] };
  readonly options?: O;
  readonly stores?: D;
  /**
   * For `posthouse check`: what keeps the module from working on this machine with these options, a sentence each. `folder` is the data
   * folder, which may not be there yet.
   */
  readonly check?: (options: OptionsOf<O>, folder: string) => Promise<readonly string[]>;
  setup(mod: Mod<O, Stores<D>>): void | Promise<void>;
}

/** A feature of Posthouse: what it is called, needs and keeps, and what it registers. */
export function defineModule<const O extends OptionsSchema, const D extends Record<string, StoreDefinition<unknown>>>(
  definition: ModuleDefinition<O, D>,
): ModuleDefinition<O, D> {
  return definition;
}
