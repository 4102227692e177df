/* What rooms need of the house around them. */
import type { Answer, IqRequest, MaybePromise, NodeView } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { StanzaError } from '../../src/protocol/index.ts';
import type { RoomArchives } from '../archive/contract.ts';
import type { BlockingService } from '../blocking/contract.ts';
import type { StanzaIdsService } from '../stanza-id/contract.ts';
import type { RoomConfig } from './config.ts';
import type { Policies } from './policies.ts';
import type { Room } from './room.ts';
import type { RoomStore } from './store.ts';
import type { Visits } from './visits.ts';

/** What an operator allows rooms of a host. */
export interface RoomLimits {
  /** Most occupants of a room; of admins and owners there may be more (entering.ts). */
  readonly occupants: number;
  /** Most characters of a nickname. */
  readonly nickLength: number;
  /** Most messages of history. */
  readonly history: number;
  /** Most bytes of its vCard. */
  readonly cardSize: number;
  /** Whether those outside are told who is in an open room (XEP-0045 6.5). */
  readonly occupantsShown: boolean;
}

export interface RoomHouse {
  readonly node: NodeView;
  readonly store: RoomStore;
  readonly visits: Visits;
  /** What other modules have to say. */
  readonly policies: Policies;
  readonly stanzaIds: () => StanzaIdsService | undefined;
  readonly blocking: () => BlockingService | undefined;
  /** The archives of rooms, where there are some. */
  readonly archive: () => RoomArchives | undefined;
  limits(host: string): RoomLimits;
  /** How a new room is. */
  defaults(host: string): RoomConfig;
  /** Why somebody may not make a room. */
  mayCreate(creator: Jid, room: Jid, host: string): MaybePromise<StanzaError | undefined>;
  occupantId(room: Room, account: Jid): string;
  /** Answers a request now, where more is to be told behind that (`Answered`). */
  answer(request: IqRequest, answer: Answer): void;
  /** Somebody who was in no way affiliated became a member of a members-only room: XEP-0045 9.5. */
  inviteMember(room: Room, member: Jid, by: Jid): void;
  /** It has nothing to keep in memory. */
  forget(room: Room): void;
}
