/* Making hats, giving them, and listing both, by ad-hoc commands of a room: XEP-0317 4.2 to 4.7. */
import type { Jid } from '../../src/jid/index.ts';
import { defineForm, field, type FormFields, NS, refuse, type StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import type { CommandsOfRooms } from './commands.ts';
import type { RoomCommand } from './contract.ts';
import { destroyHat, giveHats, putHat } from './hatting.ts';
import { atLeast } from './roles.ts';
import type { Room } from './room.ts';

const COMMANDS = 'urn:xmpp:hats:commands';

/** Hats of a room; of somebody; and how many have some. */
const MOST_HATS = 50;
const MOST_WORN = 10;
const MOST_WEARERS = 1000;

const uri = field.text('hats#uri', { label: 'Unique URI', most: 500, required: true });
const title = field.text('hats#title', { label: 'Title', most: 100, required: true });
const hue = field.text('hats#hue', { label: 'Custom color', desc: 'An angle from 0 to 360.', most: 20 });
const jid = field.jid('hats#jid', { label: 'JID to which a hat is assigned', bare: true, required: true });

const hatForm = defineForm(COMMANDS, { title, uri, hue });
/** Which hat, of those that there are. */
const whichOf = (room: Room): typeof uri => ({
  ...uri,
  type: 'list-single',
  options: room.state!.hats.all.map(hat => ({ value: hat.uri, label: hat.title })),
});
const whichForm = (room: Room) => defineForm(COMMANDS, { uri: whichOf(room) });
const wearerForm = (room: Room) => defineForm(COMMANDS, { jid, uri: whichOf(room) });

type Which = ReturnType<typeof whichForm>['fields'];
type WearerFields = ReturnType<typeof wearerForm>['fields'];

function ofAdmins(room: Room, from: Jid): StanzaError | undefined {
  return atLeast(room.actor(from).affiliation, 'admin')
    ? undefined
    : refuse('forbidden', 'Only admins and owners of the room do that.');
}

const NO_HAT = refuse('item-not-found', 'There is no such hat.');

function ofAdminsWithHats(room: Room, from: Jid): StanzaError | undefined {
  return ofAdmins(room, from) ?? (room.state!.hats.all.length === 0 ? NO_HAT : undefined);
}

const create: RoomCommand<typeof hatForm.fields, Room> = {
  node: `${COMMANDS}:create`,
  name: 'Create or change a hat',
  instructions: 'A hat with a URI that there is already is changed.',
  form: hatForm,
  refused: ofAdmins,
  run: async (room, values) => {
    const colour = values.hue?.trim();
    if (colour && !isAngle(colour)) return refuse('not-acceptable', "The field 'hats#hue' is a number from 0 to 360.");
    const hat = { uri: values.uri!.trim(), title: values.title!.trim(), ...(colour && { hue: colour }) };
    if (!URL.canParse(hat.uri)) return refuse('not-acceptable', "The field 'hats#uri' is a URI.");
    if (hat.title === '') return refuse('not-acceptable', "The field 'hats#title' is needed.");
    const { hats } = room.state!;
    if (!hats.get(hat.uri) && hats.all.length >= MOST_HATS)
      return refuse('resource-constraint', `A room has at most ${MOST_HATS} hats.`);
    await putHat(room, hat);
    return {};
  },
};

function isAngle(text: string): boolean {
  return /^\d{1,3}(\.\d{1,12})?$/.test(text) && Number(text) <= 360;
}

const destroy: RoomCommand<Which, Room> = {
  node: `${COMMANDS}:destroy`,
  name: 'Destroy a hat',
  instructions: 'It is taken from all who have it.',
  form: whichForm,
  refused: ofAdminsWithHats,
  run: async (room, values) => {
    if (!room.state!.hats.get(values.uri!)) return NO_HAT;
    await destroyHat(room, values.uri!);
    return {};
  },
};

const assign: RoomCommand<WearerFields, Room> = {
  node: `${COMMANDS}:assign`,
  name: 'Assign a hat',
  instructions: '',
  form: wearerForm,
  refused: ofAdminsWithHats,
  run: async (room, values) => {
    const { hats } = room.state!;
    if (!hats.get(values.uri!)) return NO_HAT;
    if (values.jid!.local === '') return refuse('not-acceptable', "The field 'hats#jid' has the address of a user.");
    const worn = hats.of(values.jid!);
    if (worn.includes(values.uri!)) return {};
    if (worn.length >= MOST_WORN) return refuse('resource-constraint', `Nobody has more than ${MOST_WORN} hats.`);
    if (worn.length === 0 && hats.wearerCount >= MOST_WEARERS)
      return refuse('resource-constraint', `At most ${MOST_WEARERS} have hats in a room.`);
    await giveHats(room, values.jid!, [...worn, values.uri!]);
    return {};
  },
};

const unassign: RoomCommand<WearerFields, Room> = {
  node: `${COMMANDS}:unassign`,
  name: 'Remove a hat',
  instructions: '',
  form: wearerForm,
  refused: ofAdminsWithHats,
  run: async (room, values) => {
    const worn = room.state!.hats.of(values.jid!);
    if (!worn.includes(values.uri!)) return refuse('item-not-found', 'This user has no such hat.');
    await giveHats(
      room,
      values.jid!,
      worn.filter(other => other !== values.uri),
    );
    return {};
  },
};

/** Those who can see somebody wear one. */
function ofThoseInside(room: Room, from: Jid): StanzaError | undefined {
  const inside = room.occupants.of(from).length > 0 || atLeast(room.actor(from).affiliation, 'member');
  return inside ? undefined : refuse('forbidden', 'Only who is in the room, or belongs to it, knows its hats.');
}

/** Those who see addresses too. */
function ofThoseWhoSee(room: Room, from: Jid): StanzaError | undefined {
  const sees = room.occupants.of(from).some(({ role }) => room.showsAddressesTo(role));
  return sees ? undefined : ofAdmins(room, from);
}

const list: RoomCommand<FormFields, Room> = {
  node: `${COMMANDS}:list`,
  name: 'List hats',
  instructions: '',
  refused: ofThoseInside,
  run: room => ({
    result: table(
      'Hats',
      [title, uri, hue],
      room.state!.hats.all.map(hat => [hat.title, hat.uri, hat.hue]),
    ),
  }),
};

const listAssigned: RoomCommand<FormFields, Room> = {
  node: `${COMMANDS}:list-assigned`,
  name: 'List assigned hats',
  instructions: '',
  refused: ofThoseWhoSee,
  run: room => {
    const { hats } = room.state!;
    const rows = hats.wearers.flatMap(wearer =>
      wearer.uris.map(worn => [wearer.jid.bare, worn, hats.get(worn)?.title, hats.get(worn)?.hue]),
    );
    return { result: table('Assigned hats', [jid, uri, title, hue], rows) };
  },
};

/** XEP-0004 3.4: many of a kind. */
function table(
  name: string,
  columns: readonly { readonly name: string; readonly label?: string }[],
  rows: readonly (readonly (string | undefined)[])[],
): Element {
  const field = (column: number, value: string | undefined) =>
    value !== undefined && xml('field', { var: columns[column]!.name }, xml('value', {}, value));
  return xml(
    'x',
    { xmlns: NS.dataForms, type: 'result' },
    xml('title', {}, name),
    xml('reported', {}, ...columns.map(column => xml('field', { var: column.name, label: column.label }))),
    ...rows.map(row => xml('item', {}, ...row.map((value, column) => field(column, value)))),
  );
}

export const hatCommands: CommandsOfRooms<Room> = {
  place: room => room,
  commands: [create, destroy, list, assign, unassign, listAssigned],
};
