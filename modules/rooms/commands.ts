/*
 * Ad-hoc commands (XEP-0050) of the service of rooms and of rooms, one table for all modules that have some: each command asks for one form at
 * most, and is done with it. There is no state between its two steps, and so nothing that could expire.
 */
import { randomBytes } from 'node:crypto';
import { andThen, type Answer, type IqRequest, type MaybePromise } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import type { AnyRoomCommand, AnyServiceCommand, CommandDone, RoomsDisco, ServiceCommands } from './contract.ts';
import { isThere } from './disco.ts';
import type { RoomIq } from './hooks.ts';
import type { Room } from './room.ts';

/** Commands of rooms, each with what it is run with. */
export interface CommandsOfRooms<P> {
  /** What commands of a room work with; undefined: it has none of these. */
  place(room: Room): MaybePromise<P | undefined>;
  readonly commands: readonly AnyRoomCommand<P>[];
}

/** A command that a room has. */
interface Offer {
  readonly command: AnyRoomCommand<unknown>;
  readonly place: unknown;
}

export class Commands {
  private readonly roomOf: (jid: Jid) => Room;
  private readonly hostOf: (domain: string) => string | undefined;
  private ofService: readonly ServiceCommands[] = [];
  private ofRooms: readonly CommandsOfRooms<unknown>[] = [];

  constructor(roomOf: (jid: Jid) => Room, hostOf: (domain: string) => string | undefined) {
    this.roomOf = roomOf;
    this.hostOf = hostOf;
  }

  /** Ended by calling what is returned. */
  offerInRooms<P>(commands: CommandsOfRooms<P>): () => void {
    const all = commands as CommandsOfRooms<unknown>;
    this.ofRooms = [...this.ofRooms, all];
    return () => {
      this.ofRooms = this.ofRooms.filter(other => other !== all);
    };
  }

  /** Ended by calling what is returned. */
  offer(commands: ServiceCommands): () => void {
    this.ofService = [...this.ofService, commands];
    return () => {
      this.ofService = this.ofService.filter(other => other !== commands);
    };
  }

  /** A command of a room is executed. */
  readonly iq: RoomIq = {
    xmlns: NS.commands,
    name: 'command',
    type: 'set',
    answer: (room, request) =>
      andThen(this.offers(room), offers => {
        const node = nodeOf(request);
        if (node instanceof StanzaError) return node;
        const offer = offers.find(({ command }) => command.node === node);
        if (!offer) return NO_COMMAND;
        const { command, place } = offer;
        const { from } = request;
        const refused = command.refused(place, from);
        if (refused) return refused;
        const form = typeof command.form === 'function' ? command.form(place) : command.form;
        const values = command.values?.(place) ?? {};
        return stage(request, { ...command, form }, values, read => command.run(place, read as never, from));
      }),
  };

  /** A command of the service is executed. */
  execute(request: IqRequest): MaybePromise<Answer> {
    const host = this.hostOf(request.to.domain)!;
    const commands = this.serviceCommands(host);
    if (commands.length === 0) return refuse('service-unavailable');
    const node = nodeOf(request);
    if (node instanceof StanzaError) return node;
    const command = commands.find(each => each.node === node);
    if (!command) return NO_COMMAND;
    return stage(request, command, {}, values => command.run(values as never, request, host));
  }

  /** XEP-0050 2.2, 2.3. */
  readonly disco: RoomsDisco = {
    features: (host, room) => ((room ? this.ofRooms : this.serviceCommands(host)).length > 0 ? [NS.commands] : []),
    info: (request, node) => andThen(this.named(request), all => all && described(all, node)),
    items: (request, node) =>
      andThen(node === NS.commands ? this.named(request) : undefined, all => all && listed(all, request.to)),
  };

  /** The commands that somebody may use at an address; undefined: there are none at all. */
  private named({ to, from }: IqRequest): MaybePromise<readonly Named[] | undefined> {
    if (to.local === '') {
      const all = this.serviceCommands(this.hostOf(to.domain) ?? '');
      return all.length > 0 ? all : undefined;
    }
    const room = this.roomOf(to);
    return room.do<readonly Named[] | undefined>(() => {
      if (!isThere(room, from)) return undefined;
      return andThen(this.offers(room), offers =>
        offers.filter(({ command, place }) => !command.refused(place, from)).map(({ command }) => command),
      );
    });
  }

  private serviceCommands(host: string): readonly AnyServiceCommand[] {
    return this.ofService.flatMap(({ enabled, commands }) => (enabled(host) ? commands : []));
  }

  private offers(room: Room): MaybePromise<readonly Offer[]> {
    return this.ofRooms.reduce<MaybePromise<readonly Offer[]>>(
      (before, { place: placeOf, commands }) =>
        andThen(before, known =>
          andThen(placeOf(room), place =>
            place === undefined ? known : [...known, ...commands.map(command => ({ command, place }))],
          ),
        ),
      [],
    );
  }
}

const NO_COMMAND = refuse('item-not-found', 'There is no such command.');
const ACTIONS: ReadonlySet<string> = new Set(['cancel', 'complete', 'execute', 'next']);

function nodeOf({ payload }: IqRequest): string | StanzaError {
  const { node } = payload.attrs as { node?: string };
  return node || refuse('bad-request', "A command has a 'node'.");
}

interface Named {
  readonly node: string;
  readonly name: string;
}

/** A form of whatever fields. */
interface AskedForm {
  form(values: object, words: { readonly title: string; readonly instructions: string }): Element;
  read(x: Element): object | StanzaError;
}

interface Asked extends Named {
  readonly instructions: string;
  readonly form?: AskedForm | undefined;
}

/** One step of a command: its form, or what it does. */
function stage(
  { payload }: IqRequest,
  { node, name, instructions, form }: Asked,
  values: object,
  run: (values: object) => MaybePromise<CommandDone | StanzaError>,
): MaybePromise<Answer> {
  const { action = 'execute', sessionid } = payload.attrs as { action?: string; sessionid?: string };
  // XEP-0050 4.4
  if (!ACTIONS.has(action)) {
    // there is no step before another
    const problem = action === 'prev' ? 'bad-action' : 'malformed-action';
    return new StanzaError('bad-request', { application: xml(problem, { xmlns: NS.commands }) });
  }
  const session = sessionid ?? randomBytes(9).toString('base64url');
  const answer = (status: string, ...children: (Element | false | undefined)[]): Element =>
    xml('command', { xmlns: NS.commands, node, sessionid: session, status }, ...children);
  if (action === 'cancel') return answer('canceled');
  const x = payload.getChild('x', NS.dataForms);
  if (form && !x) {
    const actions = xml('actions', { execute: 'complete' }, xml('complete'));
    return answer('executing', actions, form.form(values, { title: name, instructions }));
  }
  const read = form && x ? form.read(x) : {};
  // what is wrong in it can be corrected
  if (read instanceof StanzaError) return read;
  return andThen(run(read), done =>
    done instanceof StanzaError
      ? done
      : answer('completed', done.note !== undefined && xml('note', { type: 'info' }, done.note), done.result),
  );
}

function listed(commands: readonly Named[], to: Jid): Element {
  const items = commands.map(({ node, name }) => xml('item', { jid: to.full, node, name }));
  return xml('query', { xmlns: NS.discoItems, node: NS.commands }, ...items);
}

function described(commands: readonly Named[], node: string): Element | undefined {
  const list = node === NS.commands;
  const command = commands.find(each => each.node === node);
  if (!list && !command) return undefined;
  const type = list ? 'command-list' : 'command-node';
  const features = list ? [NS.discoInfo, NS.discoItems] : [NS.commands, NS.dataForms];
  return xml(
    'query',
    { xmlns: NS.discoInfo, node },
    xml('identity', { category: 'automation', type, name: command?.name ?? 'Commands' }),
    ...features.map(feature => xml('feature', { var: feature })),
  );
}
