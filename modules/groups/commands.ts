/* Ad-hoc commands (XEP-0050) of groups, among those of rooms (modules/rooms/commands.ts). */
import { andThen, type MaybePromise } from '../../src/api/index.ts';
import type { FormFields } from '../../src/protocol/index.ts';
import type { AnyRoomCommand, AnyServiceCommand, RoomCommand, RoomsService, RoomView } from '../rooms/contract.ts';
import type { Group } from './groups.ts';

export type { CommandDone as Done, ServiceCommand } from '../rooms/contract.ts';

/** A group that a command is for. */
export interface Place {
  readonly room: RoomView;
  readonly group: Group;
}

/** A command of a group, in its room's order. */
export type GroupCommand<F extends FormFields = FormFields> = RoomCommand<F, Place>;

export interface CommandParts {
  readonly rooms: RoomsService;
  groupOf(room: RoomView): MaybePromise<Group | undefined>;
  enabled(host: string): boolean;
  readonly service: readonly AnyServiceCommand[];
  readonly group: readonly AnyRoomCommand<Place>[];
}

/** Offers the commands; ended by calling what is returned. */
export function offerCommands({ rooms, groupOf, enabled, service, group }: CommandParts): () => void {
  const ends = [
    rooms.offer({ enabled, commands: service }),
    rooms.offerInRooms({
      place: (room): MaybePromise<Place | undefined> =>
        enabled(room.host) ? andThen(groupOf(room), found => found && { room, group: found }) : undefined,
      commands: group,
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
