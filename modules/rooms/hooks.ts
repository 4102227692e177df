/* What parts of the module, and later others, answer for a room beside entering it and talking in it. */
import type { Answer, Answered, IqRequest, MaybePromise, Packet } from '../../src/api/index.ts';
import type { Room } from './room.ts';

/** A request to a room that is there. */
export interface RoomIq {
  readonly xmlns: string;
  readonly name: string;
  readonly type: 'get' | 'set';
  /** It runs within the room's order; what it waits for, all others wait for, but not for what it gives instead of an answer. */
  readonly answer: (room: Room, request: IqRequest) => MaybePromise<Answer | typeof Answered | Later>;
}

/** Answers outside of a room's order. */
export type Later = () => Answer | Promise<Answer>;

/** A message to a room that is there, not of the type 'groupchat'. False: it is none of its kind. */
export type RoomMessage = (room: Room, packet: Packet) => MaybePromise<boolean>;
