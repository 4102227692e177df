/* Ad-hoc commands (XEP-0050) of the service of rooms and of groups: each asks for one form at most, and is done with it. */
import { randomBytes } from 'node:crypto';
import { andThen, type Answer, type IqRequest, type MaybePromise } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { type Form, type FormFields, type FormValues, NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import type { RoomsService, RoomView } from '../rooms/contract.ts';
import type { Group } from './groups.ts';

/** A group that a command is for. */
export interface Place {
  readonly room: RoomView;
  readonly group: Group;
}

/** What a command has done: a sentence, and what there is to know. */
export interface Done {
  readonly note: string;
  readonly result?: Element;
}

/** A command of the service. */
export interface ServiceCommand<F extends FormFields = FormFields> {
  readonly node: string;
  readonly name: string;
  readonly instructions: string;
  readonly form: Form<F>;
  run(values: Partial<FormValues<F>>, request: IqRequest, host: string): MaybePromise<Done | StanzaError>;
}

/** A command of a group, in its room's order. */
export interface GroupCommand<F extends FormFields = FormFields> {
  readonly node: string;
  readonly name: string;
  readonly instructions: string;
  /** Left out: there is nothing to ask. */
  readonly form?: Form<F>;
  /** Why somebody may not use it, or undefined. */
  refused(place: Place, from: Jid): StanzaError | undefined;
  /** What the form shows at first. */
  values?(place: Place): Partial<FormValues<F>>;
  run(place: Place, values: Partial<FormValues<F>>, from: Jid): MaybePromise<Done | StanzaError>;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each has a form of its own
type Any = any;

export interface CommandParts {
  readonly rooms: RoomsService;
  groupOf(room: RoomView): MaybePromise<Group | undefined>;
  enabled(host: string): boolean;
  readonly service: readonly ServiceCommand<Any>[];
  readonly group: readonly GroupCommand<Any>[];
}

/** Offers the commands; ended by calling what is returned. */
export function offerCommands({ rooms, groupOf, enabled, service, group }: CommandParts): () => void {
  const isOn = (to: Jid): boolean => enabled(rooms.hostOf(to.domain) ?? '');

  const inGroup = <T>(to: Jid, job: (place: Place | undefined) => MaybePromise<T>): MaybePromise<T> =>
    rooms.with(to, room =>
      room && isOn(to) ? andThen(groupOf(room), found => job(found && { room, group: found })) : job(undefined),
    );

  const ends = [
    rooms.iq({ xmlns: NS.commands, name: 'command', type: 'set', to: 'service', answer: forService }),
    rooms.iq({ xmlns: NS.commands, name: 'command', type: 'set', to: 'bare', answer: forGroup }),
    rooms.disco({
      features: (host, room) => (enabled(host) && (!room || room.config.persistent) ? [NS.commands] : []),
      info: ({ to, from }, node) => {
        if (to.local === '') return isOn(to) ? described(service, node) : undefined;
        return inGroup(to, place => place && described(allowed(place, from), node));
      },
      items: ({ to, from }, node) => {
        if (node !== NS.commands) return undefined;
        if (to.local === '') return isOn(to) ? listed(service, to) : undefined;
        return inGroup(to, place => place && listed(allowed(place, from), to));
      },
    }),
  ];

  function allowed(place: Place, from: Jid): GroupCommand[] {
    return group.filter(command => command.refused(place, from) === undefined);
  }

  function forService(request: IqRequest): MaybePromise<Answer> {
    if (!isOn(request.to)) return refuse('service-unavailable');
    const command = find(service, request);
    if (command instanceof StanzaError) return command;
    const host = rooms.hostOf(request.to.domain)!;
    return stage(request, command, {}, values => command.run(values, request, host));
  }

  function forGroup(request: IqRequest): MaybePromise<Answer> {
    const { from } = request;
    return inGroup<Answer>(request.to, place => {
      if (!place) return refuse('service-unavailable', 'This is no group.');
      const command = find(group, request);
      if (command instanceof StanzaError) return command;
      const refused = command.refused(place, from);
      if (refused) return refused;
      return stage(request, command, command.values?.(place) ?? {}, values => command.run(place, values, from));
    });
  }

  return () => {
    for (const end of ends) end();
  };
}

function find<C extends { readonly node: string }>(commands: readonly C[], { payload }: IqRequest): C | StanzaError {
  const { node } = payload.attrs as { node?: string };
  if (!node) return refuse('bad-request', "A command has a 'node'.");
  return commands.find(command => command.node === node) ?? refuse('item-not-found', 'There is no such command.');
}

const ACTIONS = new Set(['cancel', 'complete', 'execute', 'next']);

function stage(
  { payload }: IqRequest,
  { node, name, instructions, form }: Pick<GroupCommand<Any>, 'form' | 'instructions' | 'name' | 'node'>,
  values: object,
  run: (values: Any) => MaybePromise<Done | StanzaError>,
): MaybePromise<Answer> {
  const { action = 'execute', sessionid } = payload.attrs as { action?: string; sessionid?: string };
  // XEP-0050 4.4
  if (!ACTIONS.has(action))
    return new StanzaError('bad-request', { application: xml('malformed-action', { xmlns: NS.commands }) });
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
    done instanceof StanzaError ? done : answer('completed', xml('note', { type: 'info' }, done.note), done.result),
  );
}

interface Named {
  readonly node: string;
  readonly name: string;
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
