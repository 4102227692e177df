/* Other hats in a room: kept, then told. XEP-0317 4.2 to 4.6. */
import { andThen, inOrder, type MaybePromise } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { tellCodes } from './configuring.ts';
import type { Hat, Wearer } from './hats.ts';
import type { Room } from './room.ts';
import { tellChange } from './telling.ts';

/** A hat is there from now on, or is another. */
export async function putHat(room: Room, hat: Hat): Promise<void> {
  const { hats } = room.state!;
  const known = hats.get(hat.uri);
  const all = known ? hats.all.map(each => (each === known ? hat : each)) : [...hats.all, hat];
  await keep(room, all, []);
  const wearers = hats.wearers.filter(({ uris }) => uris.includes(hat.uri));
  await andThen(tellWearers(room, wearers), () => tellCodes(room, [104]));
}

/** 4.3: it is nobody's any more. */
export async function destroyHat(room: Room, uri: string): Promise<void> {
  const { hats } = room.state!;
  const changes = hats.wearers
    .filter(({ uris }) => uris.includes(uri))
    .map(({ jid, uris }) => ({ jid, uris: uris.filter(other => other !== uri) }));
  await keep(
    room,
    hats.all.filter(hat => hat.uri !== uri),
    changes,
  );
  await andThen(tellWearers(room, changes), () => tellCodes(room, [104]));
}

/** Somebody has these hats and no others. */
export async function giveHats(room: Room, jid: Jid, uris: readonly string[]): Promise<void> {
  const change = { jid: jid.toBare(), uris };
  await keep(room, room.state!.hats.all, [change]);
  await tellWearers(room, [change]);
}

async function keep(room: Room, all: readonly Hat[], changes: readonly Wearer[]): Promise<void> {
  const state = room.state!;
  await room.house.store.setHats(state.id, all, changes);
  state.hats = state.hats.with(all, changes);
}

/** All are told of the hats of those who are inside. */
function tellWearers(room: Room, wearers: readonly Wearer[]): MaybePromise<void> {
  const { hats } = room.state!;
  const inside = wearers.flatMap(({ jid }) => room.occupants.of(jid));
  return inOrder(inside, occupant => {
    occupant.hats = hats.shown(occupant.account);
    occupant.changed();
    return tellChange(room, occupant);
  });
}
