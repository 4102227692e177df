import type { FastifyInstance } from 'fastify';
import type { Answer, Packet, SessionView } from '../bus/index.ts';
import type { Jid } from '../jid/index.ts';
import type { MaybePromise } from '../util/maybe.ts';
import type { StanzaError } from '../protocol/index.ts';
import type { Element } from '../xml/index.ts';
import { Collection } from './collection.ts';
import type { Command } from './command.ts';
import type { ModuleOperation } from './operation.ts';
import type { Connection, StreamHandler } from './connection.ts';

/** What disco (XEP-0030) says of the host or of an account. */
export interface DiscoEntry {
  readonly of: 'host' | 'account';
  readonly feature?: string;
  /** Whether the host has the feature; asked each time. Always, when left out. */
  readonly when?: (host: string) => boolean;
  readonly identity?: { category: string; type: string; name?: string; lang?: string };
  /** Extended information (XEP-0128), a result form; asked each time. */
  readonly form?: (host: string) => Element | undefined;
}

/** An item of the host in disco#items, or the answer for a node below it. */
export interface DiscoItem {
  readonly jid: (host: string) => string;
  readonly name?: string;
  readonly node?: string;
  /** Whether this person sees it; everybody when left out. */
  readonly visible?: (to: Jid, host: string) => boolean;
}

/** A <query/>, why there is none, or undefined where there is no such node. */
type NodeAnswer = Element | StanzaError | undefined;

/** Answers disco requests for a node of the host or of an account (commands, for one). */
export interface DiscoNode {
  readonly of: 'host' | 'account';
  /** The node itself, or what it begins with when it ends in '*'. */
  readonly node: string;
  info?(request: { node: string; from: Jid; to: Jid }): NodeAnswer | Promise<NodeAnswer>;
  items?(request: { node: string; from: Jid; to: Jid }): NodeAnswer | Promise<NodeAnswer>;
}

/** Items of an account in disco#items, beside its resources, for somebody who may see its presence. */
export interface DiscoAccountItems {
  items(request: { from: Jid; to: Jid }): readonly Element[] | StanzaError | Promise<readonly Element[] | StanzaError>;
}

/** A stream feature (RFC 6120 4.3.2) beyond those of the core. */
export interface StreamFeature {
  readonly when: 'before-login' | 'after-login';
  /** The feature for this host; undefined where it is not offered. */
  readonly feature: (host: string, stream: { secured: boolean; address: string }) => Element | undefined;
}

/** What a client may have on from the first moment of a session that it binds while it logs in (XEP-0386). */
export interface BindFeature {
  /** As it is announced, and the namespace of its element in the client's request. */
  readonly xmlns: string;
  /** Whether clients ask for it, so that it is announced. What they do not ask for is done for each of them: archive metadata. */
  readonly asked: boolean;
  /** Whether the host has it; always, when left out. */
  readonly when?: (host: string) => boolean;
  /**
   * Called when the session is made and before anything can reach it, with the client's element if there is one. What is returned
   * stands in <bound/>.
   */
  readonly bound: (
    session: SessionView,
    request: Element | undefined,
  ) => Element | undefined | Promise<Element | undefined>;
}

/** An IQ that may be sent before login (XEP-0077 3.1). */
export interface BeforeLoginIq {
  readonly xmlns: string;
  readonly answer: (request: {
    host: string;
    address: string;
    secured: boolean;
    type: 'get' | 'set';
    payload: Element;
  }) => Answer | Promise<Answer>;
}

/** Whole domains that a module answers for: everything sent to any address of them. */
export interface DomainRoute {
  readonly serves: (domain: string) => boolean;
  readonly receive: (packet: Packet) => void | Promise<void>;
}

/** Routes on the HTTP server. `public` listeners face the world; `private` ones are on loopback. */
export interface HttpRoutes {
  readonly on: 'public' | 'private' | 'both';
  readonly register: (app: FastifyInstance) => void | Promise<void>;
}

/** The protocol of a listener type of the configuration, beside the core's own. */
export interface ListenerProtocol {
  readonly type: string;
  readonly accept: (connection: Connection) => StreamHandler;
}

/** Who administers a host, beside those that the configuration names. */
export interface Administrators {
  readonly of: (host: string) => readonly Jid[];
}

/** A figure for /metrics, read when asked for. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly read: () => number | { labels: Record<string, string>; value: number }[];
}

/** What an entry became: taken in, there already, or why it cannot be taken in. */
export type Imported = 'imported' | 'known' | { readonly refused: string };

/**
 * A part of what an account has that can be carried to another server and back (XEP-0227): entries, each an element. What it exports it
 * can import, and what is imported again changes nothing.
 */
export interface Portable {
  /** For the operator: 'roster'. */
  readonly name: string;
  /** The element around the entries; without one each entry is a child of <user/> itself. */
  readonly container?: { readonly name: string; readonly xmlns: string };
  /** Name and namespace of the entries; any when left out, which only a container allows. */
  readonly entry?: { readonly name: string; readonly xmlns: string };
  /** The entries behind `after` ('' to begin with) as wire strings, a page of moderate size, and where the next page begins. */
  export(account: Jid, after: string): MaybePromise<{ readonly entries: readonly string[]; readonly next?: string }>;
  /** Takes an entry in; `place` is its number among those of the account, from 0. */
  import(account: Jid, entry: Element, place: number): MaybePromise<Imported>;
}

export function makeCollections() {
  return {
    disco: new Collection<DiscoEntry>('disco'),
    discoItems: new Collection<DiscoItem>('discoItems'),
    discoNodes: new Collection<DiscoNode>('discoNodes'),
    discoAccountItems: new Collection<DiscoAccountItems>('discoAccountItems'),
    streamFeatures: new Collection<StreamFeature>('streamFeatures'),
    bindFeatures: new Collection<BindFeature>('bindFeatures'),
    beforeLogin: new Collection<BeforeLoginIq>('beforeLogin'),
    commands: new Collection<Command>('commands'),
    domains: new Collection<DomainRoute>('domains'),
    http: new Collection<HttpRoutes>('http'),
    listeners: new Collection<ListenerProtocol>('listeners'),
    portable: new Collection<Portable>('portable'),
    administrators: new Collection<Administrators>('administrators'),
    gauges: new Collection<Gauge>('gauges'),
    operations: new Collection<ModuleOperation>('operations'),
  };
}

export type Collections = ReturnType<typeof makeCollections>;
