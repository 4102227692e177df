/* What owners ask of a room (muc#owner): XEP-0045 10.1, 10.2, 10.9. */
import { andThen, type Answer, type Answered, Empty, type IqRequest, type MaybePromise } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS, refuse, type StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { writeConfigForm } from './config-form.ts';
import { configure } from './configuring.ts';
import { destroyRoom } from './destroying.ts';
import type { RoomIq } from './hooks.ts';
import { MUC_OWNER } from './namespaces.ts';
import type { Room } from './room.ts';

const LONGEST_REASON = 1000;

/** 10.1.3, 10.2. */
function form(room: Room, { from }: IqRequest): Answer {
  const refused = refusedTo(room, from);
  if (refused) return refused;
  const { config, locked, affiliations } = room.state!;
  const officers = {
    admins: affiliations.list('admin').map(({ jid }) => jid),
    owners: affiliations.list('owner').map(({ jid }) => jid),
  };
  const x = writeConfigForm(
    config,
    officers,
    room.house.limits(room.host),
    `Configuration of ${config.name || room.jid.bare}`,
    locked
      ? 'The room is there when you have submitted this form. Nobody else can enter until then.'
      : 'How the room is.',
  );
  return xml('query', { xmlns: MUC_OWNER }, x);
}

function submit(room: Room, request: IqRequest): MaybePromise<Answer | typeof Answered> {
  const { payload, from } = request;
  const refused = refusedTo(room, from);
  if (refused) return refused;
  const destroy = payload.getChild('destroy', MUC_OWNER);
  if (destroy) return end(room, destroy, from);
  const x = payload.getChild('x', NS.dataForms);
  if (!x) return refuse('bad-request', 'There is a form or <destroy/>.');
  if (x.attrs.type === 'cancel') return cancel(room);
  return configure(room, request, x);
}

function refusedTo(room: Room, from: IqRequest['from']): StanzaError | undefined {
  return room.actor(from).affiliation === 'owner' ? undefined : refuse('forbidden', 'Only owners of the room do that.');
}

/** 10.1.3: a room that is being made is not made; another stays as it is. */
function cancel(room: Room): MaybePromise<Answer> {
  return room.state!.locked ? destroyRoom(room).then(() => Empty) : Empty;
}

/** 10.9. */
function end(room: Room, destroy: Element, by: Jid): MaybePromise<Answer> {
  const { jid } = destroy.attrs;
  const alternative = jid === undefined || jid === '' ? undefined : parseJid(jid);
  if (jid && !alternative) return refuse('jid-malformed', `'${jid.slice(0, 100)}' is no address.`);
  const text = (name: string): string => (destroy.getChildText(name, MUC_OWNER) ?? '').slice(0, LONGEST_REASON);
  const farewell = { alternative, reason: text('reason'), password: text('password') };
  return andThen(
    room.house.policies.mayDestroy(room, by.toBare(), farewell),
    no => no ?? destroyRoom(room, farewell, by.toBare()).then(() => Empty),
  );
}

export const ownerIqs: readonly RoomIq[] = [
  { xmlns: MUC_OWNER, name: 'query', type: 'get', answer: form },
  { xmlns: MUC_OWNER, name: 'query', type: 'set', answer: submit },
];
