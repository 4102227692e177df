/** All that a module may import of the house, beside src/protocol, src/xml and src/jid. */
export type { Answer, IqRequest, Kept, SessionView, UserView, Verdict, Where } from '../bus/index.ts';
export {
  BARE,
  DONE,
  Empty,
  FOREIGN,
  FULL,
  HOST,
  IQ,
  Markup,
  MESSAGE,
  NOWHERE,
  Packet,
  PRESENCE,
  stanzaProblem,
  stanzaType,
  wireJid,
} from '../bus/index.ts';
export type {
  Administrators,
  BeforeLoginIq,
  BindFeature,
  Collections,
  DiscoAccountItems,
  DiscoEntry,
  DiscoItem,
  DiscoNode,
  DomainRoute,
  Gauge,
  HttpRoutes,
  Imported,
  ListenerProtocol,
  Portable,
  StreamFeature,
} from './collections.ts';
export { attached } from './attached.ts';
export type { Command, CommandRequest, CommandResult } from './command.ts';
export { type ModuleOperation, NotDone, type OperationArguments } from './operation.ts';
export type { Connection, StreamHandler } from './connection.ts';
export {
  defineModule,
  type IqOptions,
  type Mod,
  type ModuleDefinition,
  plain,
  serviceKey,
  type ServiceKey,
  type Slot,
  type SlotJson,
  type StoreDefinition,
  type XepClaim,
} from './module.ts';
export type { AccountsView, AccountView, ClientsView, ClientView, NodeView, Question } from './node-view.ts';
export { defineOptions, option, type OptionsOf, type OptionsSchema } from './options.ts';
export {
  Answered,
  type DiscoIdentity,
  type DiscoInfo,
  placeOf,
  type Place,
  type ServiceDisco,
  ServiceDomain,
  type ServiceIq,
  type ServiceParts,
} from './service-domain.ts';
export type {
  BatchDefinition,
  BatchDelete,
  BatchInsert,
  BatchTransaction,
  BatchWriter,
  Migration,
  Reader,
  Statement,
  Storage,
  Transactor,
} from './storage.ts';
export { StorageError } from './storage.ts';
export { AT_ONCE, sendToMany } from './to-many.ts';
export { Loaded } from '../util/loaded.ts';
export { currentUnit, type Unit, type UnitListener } from '../util/unit.ts';
export { Lru } from '../util/lru.ts';
export { type MaybePromise, andThen } from '../util/maybe.ts';
export { InTurn } from '../util/in-turn.ts';
export { Unhurried } from '../util/unhurried.ts';
export { networkOf } from '../util/network.ts';
export { eachInSlices, inOrder } from '../util/slices.ts';
