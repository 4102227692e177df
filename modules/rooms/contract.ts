/*
 * Rooms for other modules: to look at them and change them within their order, to be told of what happens in them, and to have a say in it
 * (policies). A room is never given out itself: a `RoomView` is good within the job, policy or fact that it was given to.
 */
import { type Answer, type IqRequest, type MaybePromise, type Packet, serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { Form, FormFields, FormValues, StanzaError } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';
import type { RoomConfig } from './config.ts';
import type { Actor, Affiliation } from './roles.ts';
import type { Affiliated, Application, KeptAffiliation } from './stored.ts';

export { type RoomConfig } from './config.ts';
export { type Actor, type Affiliation, atLeast } from './roles.ts';
export { keyOf as accountKey, LONGEST_ADDRESS } from './schema.ts';
export type { Affiliated, Application, KeptAffiliation } from './stored.ts';

/** Who is to have which affiliation. */
export interface AffiliationChange {
  /** Bare. */
  readonly jid: Jid;
  readonly affiliation: Affiliation;
  /** The nickname to reserve; '' for none, left out: as it was. */
  readonly nick?: string;
  readonly reason?: string;
}

/** A change of an affiliation that is asked for, or has happened. */
export interface AffiliationStep {
  readonly jid: Jid;
  readonly before: Affiliation;
  readonly after: Affiliation;
}

/** What is said with the end of a room (XEP-0045 10.9). */
export interface Farewell {
  /** A room to go to instead. */
  readonly alternative?: Jid | undefined;
  /** The password of that one. */
  readonly password?: string;
  readonly reason?: string;
}

/** A room that is there, within its order: nothing else happens in it meanwhile. */
export interface RoomView {
  readonly jid: Jid;
  /** The host that its service belongs to. */
  readonly host: string;
  /** False when it ended meanwhile: nothing else of it is known then. */
  readonly isThere: boolean;
  /** No other room has or had it. */
  readonly id: number;
  readonly config: RoomConfig;
  /** It is being made: nobody but its owner can enter (XEP-0045 10.1). */
  readonly locked: boolean;
  /** Who asks to become a member (XEP-0045 7.10). */
  readonly applications: readonly Application[];
  /** How many are affiliated with it: banned ones too. */
  readonly affiliatedCount: number;
  affiliated(): Iterable<Affiliated>;
  affiliationOf(jid: Jid): Affiliation;
  /** Since when somebody has what affiliation it has (milliseconds since 1970); undefined for who has none. */
  sinceOf(account: Jid): number | undefined;
  /** What somebody is to it who asks for something: administrators of the host are as owners. */
  actor(from: Jid): Actor;
  /** The nickname under which an account is in it, or which is reserved for it; '' for none. */
  nickOf(account: Jid): string;
  /** Whether a client is in it. */
  isInside(client: Jid): boolean;
  /** Whether any client of an account is in it. */
  hasInside(account: Jid): boolean;

  /** Gives affiliations, all or none: kept, then told as XEP-0045 9 and 10 want it. Policies are not asked. */
  affiliate(changes: readonly AffiliationChange[], by: Jid): Promise<void>;
  /** Changes the configuration: kept, then told (10.2.1). Policies are not asked. */
  configure(changes: Partial<RoomConfig>, by: Jid): Promise<void>;
  /** Ends it (10.9). Policies are not asked. */
  destroy(farewell: Farewell, by: Jid): Promise<void>;
  /** Somebody who asks to become a member does not become one, and is told so by who calls this; false where nobody of that address asks. */
  deny(jid: Jid): Promise<boolean>;
  /** Invites somebody, who may enter, by a message (7.8.2). */
  invite(jid: Jid, by: Jid): void;
  /** Sends a message to all who are in it, and to nobody else: `inner` is markup (a wire string). */
  announce(inner: string): void;
}

/** A room that somebody wants to make. */
export interface Making {
  readonly creator: Jid;
  readonly room: Jid;
  readonly host: string;
  /** How it would be at first. */
  readonly config: RoomConfig;
}

/**
 * What other modules have to say before something happens in a room: why it may not, or undefined. They are asked behind all rules of
 * XEP-0045, in the room's order: what waits for them keeps everything else in that room waiting.
 */
export interface RoomPolicy {
  mayCreate?(making: Making): MaybePromise<StanzaError | undefined>;
  /** `after`: the configuration that an owner wants it to have. */
  mayConfigure?(room: RoomView, by: Jid, after: RoomConfig): MaybePromise<StanzaError | undefined>;
  /** Somebody who may do so by the rules gives affiliations; also by an invitation, an approval, or by registering where that is open. */
  mayAffiliate?(room: RoomView, by: Jid, steps: readonly AffiliationStep[]): MaybePromise<StanzaError | undefined>;
  /** Whether a message to all is for the module alone that says so, and goes no further. Asked of every one, first. */
  takes?(room: RoomView, packet: Packet): boolean;
  mayEnter?(room: RoomView, from: Jid): MaybePromise<StanzaError | undefined>;
  /** A member gives up its membership (XEP-0045 7.10, XEP-0077 3.2). The room may be another behind it, or there no more. */
  mayLeave?(room: RoomView, member: Jid): MaybePromise<StanzaError | undefined>;
  /** Whether admins and owners who do so leave too; otherwise they only have no nickname reserved any more. */
  officersLeave?(room: RoomView): boolean;
  /** Somebody asks to become a member. */
  mayApply?(room: RoomView, from: Jid): MaybePromise<StanzaError | undefined>;
  mayDestroy?(room: RoomView, by: Jid, farewell: Farewell): MaybePromise<StanzaError | undefined>;
  /** The account of the only one who belongs to a room is being removed: nobody will own it. It may be there no more behind this. */
  abandoned?(room: RoomView, last: Jid): MaybePromise<void>;
  /** Asked of every message to all in a room: as a rule it must not wait. */
  maySpeak?(room: RoomView, from: Jid, packet: Packet): MaybePromise<StanzaError | undefined>;
}

/** A room that is there no more. */
export interface GoneRoom {
  readonly jid: Jid;
  readonly host: string;
  readonly id: number;
  readonly config: RoomConfig;
  readonly affiliated: readonly Affiliated[];
}

/** What is about to be kept of a room: who belongs to it, what it is called, whether it stays. */
export interface RoomChange {
  readonly jid: Jid;
  readonly host: string;
  /** What is told once it is kept. */
  readonly fact: 'affiliated' | 'configured' | 'created' | 'destroyed';
  /** Whether it is a room that stays when nobody is in it, before or behind the change. */
  readonly persistent: boolean;
  /** Whose affiliations change, or end with the room; undefined: it concerns all who have one once it is kept. */
  readonly accounts: readonly Jid[] | undefined;
}

/** What has happened in rooms: kept already. Told in the room's order; a listener that fails is logged. */
export interface RoomListener {
  /**
   * Told before, in the same go as it is handed to the database: what a listener hands to it in here is kept with it, or before it. It may
   * still fail; if it does not, its fact follows before anything else in that room.
   */
  changing?(change: RoomChange): void;
  created?(room: RoomView, by: Jid): void;
  configured?(room: RoomView, before: RoomConfig, by: Jid): void;
  affiliated?(room: RoomView, steps: readonly AffiliationStep[], by: Jid): void;
  destroyed?(room: GoneRoom, farewell: Farewell, by: Jid | undefined): void;
  /**
   * A message to all is being sent, as occupants get it, without a recipient. It is in one unit with the message that caused it, where
   * that has not been waiting. `author`: the bare address of who said it. The next message waits for a promise.
   */
  said?(room: RoomView, packet: Packet, author: Jid): MaybePromise<void>;
}

/** A room to be made by another module than this one. */
export interface NewRoom {
  readonly jid: Jid;
  /** Becomes its owner. */
  readonly creator: Jid;
  /** The nickname to reserve for its owner. */
  readonly nick?: string;
  readonly config: Partial<RoomConfig>;
  /** Who belongs to it beside the creator. */
  readonly affiliated: readonly AffiliationChange[];
  /** Asked in the room's order, where there is none yet: why it is not made after all. */
  readonly unless?: () => MaybePromise<StanzaError | undefined>;
}

/** A request to the service of a domain ('service') or to a room ('bare') that another module answers. */
export interface RoomsIq {
  readonly xmlns: string;
  readonly name?: string;
  readonly type: 'get' | 'set';
  readonly to: 'service' | 'bare';
  readonly answer: (request: IqRequest) => MaybePromise<Answer>;
}

/** What another module says to disco of nodes of a service or room that it knows; undefined: it knows it not. */
export interface RoomsDisco {
  info?(request: IqRequest, node: string): MaybePromise<Element | StanzaError | undefined>;
  items?(request: IqRequest, node: string): MaybePromise<Element | StanzaError | undefined>;
  /** Features of a service or, where there is a room, of that. */
  features?(host: string, room: RoomView | undefined): readonly string[];
}

/** A room that an account belongs to. */
export interface Belonging {
  readonly jid: Jid;
  readonly config: RoomConfig;
  readonly affiliation: KeptAffiliation;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** What a command has done: a sentence, and what there is to know (a form of the type 'result'). */
export interface CommandDone {
  readonly note?: string;
  readonly result?: Element;
}

/** An ad-hoc command (XEP-0050) of a service of rooms. It asks for one form. */
export interface ServiceCommand<F extends FormFields = FormFields> {
  readonly node: string;
  readonly name: string;
  readonly instructions: string;
  readonly form: Form<F>;
  run(values: Partial<FormValues<F>>, request: IqRequest, host: string): MaybePromise<CommandDone | StanzaError>;
}

/** One of a room, in its order. `P`: what it works with. */
export interface RoomCommand<F extends FormFields = FormFields, P = RoomView> {
  readonly node: string;
  readonly name: string;
  readonly instructions: string;
  /** Left out: there is nothing to ask. */
  readonly form?: Form<F> | ((place: P) => Form<F>);
  /** Why somebody may not use it, or undefined; it is not listed to them then. */
  refused(place: P, from: Jid): StanzaError | undefined;
  /** What the form shows at first. */
  values?(place: P): Partial<FormValues<F>>;
  run(place: P, values: Partial<FormValues<F>>, from: Jid): MaybePromise<CommandDone | StanzaError>;
}

/* eslint-disable @typescript-eslint/no-explicit-any -- each has a form of its own */
export type AnyServiceCommand = ServiceCommand<any>;
export type AnyRoomCommand<P> = RoomCommand<any, P>;
/* eslint-enable @typescript-eslint/no-explicit-any */

export interface ServiceCommands {
  enabled(host: string): boolean;
  readonly commands: readonly AnyServiceCommand[];
}

export interface RoomCommands<P> {
  /** What they work with in a room; undefined: it has none of them. */
  place(room: RoomView): MaybePromise<P | undefined>;
  readonly commands: readonly AnyRoomCommand<P>[];
}

export interface RoomsService {
  /** The domain of a host's rooms; undefined where it has none. */
  domainOf(host: string): string | undefined;
  /** The host that a domain of rooms belongs to; undefined for other domains. */
  hostOf(domain: string): string | undefined;
  /** Does something in a room's order: at once where nothing waits. The job gets undefined where there is no such room. */
  with<T>(jid: Jid, job: (room: RoomView | undefined) => MaybePromise<T>): MaybePromise<T>;
  /** Makes a room that is open at once; 'conflict' where there is one by that name. Policies are not asked. */
  create(room: NewRoom): MaybePromise<StanzaError | undefined>;
  /** The rooms that an account belongs to (member or above), of all domains. */
  belonging(account: Jid): MaybePromise<Belonging[]>;
  /** Persistent rooms of all domains behind an address, in the order of addresses: at most so many. */
  persistent(after: string, most: number): Promise<Jid[]>;
  /** These end what they begin by calling what they return. */
  guard(policy: RoomPolicy): () => void;
  listen(listener: RoomListener): () => void;
  iq(iq: RoomsIq): () => void;
  /** Commands of the service of a host. */
  offer(commands: ServiceCommands): () => void;
  /** Commands of rooms. */
  offerInRooms<P>(commands: RoomCommands<P>): () => void;
  disco(disco: RoomsDisco): () => void;
}

export const Rooms = serviceKey<RoomsService>('rooms');
