import type { Answer, IqRequest } from '../../src/api/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { configuration, configure, create, defaults, purge, remove } from './creating.ts';
import { type Asked, type Engine, pubsub, type Service } from './engine.ts';
import { affiliated, affiliations, setAffiliated, setSubscribers, subscribers, subscriptions } from './lists.ts';
import { NOT_SUBSCRIBED, OWNER, PRESENCE_REQUIRED, PUBSUB } from './names.ts';
import { publish, retract } from './publishing.ts';
import { retrieve } from './retrieving.ts';
import { defaultOptions, options, setOptions, subscribe, unsubscribe } from './subscribing.ts';

type Handler = (engine: Engine, asked: Asked) => Answer | Promise<Answer>;

/** What is answered, by namespace and type; of the children of a request the first of these that is there. */
const TABLE: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  [`set ${PUBSUB}`]: { create, publish, retract, subscribe, unsubscribe, options: setOptions },
  [`get ${PUBSUB}`]: { items: retrieve, subscriptions, affiliations, options, default: defaultOptions },
  [`set ${OWNER}`]: { configure, delete: remove, purge, subscriptions: setSubscribers, affiliations: setAffiliated },
  [`get ${OWNER}`]: {
    configure: configuration,
    default: defaults,
    subscriptions: subscribers,
    affiliations: affiliated,
  },
};

interface Operation {
  readonly name: string;
  readonly element: Element;
  readonly handler: Handler;
}

function operationOf({ type, payload }: Pick<IqRequest, 'type' | 'payload'>): Operation | undefined {
  const xmlns = payload.getNS() ?? '';
  const handlers = TABLE[`${type} ${xmlns}`] ?? {};
  for (const [name, handler] of Object.entries(handlers)) {
    const element = payload.getChild(name, xmlns);
    if (element) return { name, element, handler };
  }
  return undefined;
}

const UNKNOWN = refuse('bad-request', 'There is nothing that can be done in this request.');
/** What those are told who may not know of an account, and who ask one that is not there. */
const NOT_YOURS = refuse('forbidden', 'That is for the owner of the account.');

/** Answers a request to a service. */
export function answer(engine: Engine, service: Service, request: IqRequest): Answer | Promise<Answer> {
  const operation = operationOf(request);
  if (!operation) return UNKNOWN;
  const { from, session, type, payload } = request;
  const { element, handler } = operation;
  const asked: Asked = { service, from, session, type, pubsub: payload, element };
  if (!service.personal) return handler(engine, asked);
  const said = request.own ? handler(engine, asked) : forOthers(engine, asked, request, handler);
  return type === 'get' ? said : behindAll(engine, service, said);
}

/** Outside of the node's turn: what follows may publish at the same account. */
async function behindAll(engine: Engine, service: Service, said: Answer | Promise<Answer>): Promise<Answer> {
  const answered = await said;
  await engine.followed(service.jid);
  return answered;
}

/**
 * Somebody asks another's account. Who may not see its presence learns of nothing but nodes that are open to them; of all others, and of
 * those that are not there, no more than of an account that is not there.
 */
async function forOthers(engine: Engine, asked: Asked, request: IqRequest, handler: Handler): Promise<Answer> {
  const { service, from, element } = asked;
  if (!(await engine.access.sees(service.jid, from)) && !(await isOpenTo(engine, asked))) {
    const { node } = element.attrs as { node?: string };
    const ownList =
      node === undefined && request.type === 'get' && ['subscriptions', 'affiliations'].includes(element.name);
    if (!ownList || asked.pubsub.getNS() !== PUBSUB) return answerOfNobody(request);
  }
  return handler(engine, asked);
}

async function isOpenTo(engine: Engine, { service, from, element }: Asked): Promise<boolean> {
  const { node: name } = element.attrs as { node?: string };
  const node = name === undefined ? undefined : await engine.nodes.find(service.jid, name);
  if (!node) return false;
  if (!['none', 'outcast'].includes(engine.access.affiliation(node, from))) return true;
  return !(await engine.access.retrieve(node, from));
}

/** What is said of an account that is not there; the same for all that somebody may not know. */
export function answerOfNobody(request: IqRequest): Answer {
  const operation = operationOf(request);
  if (!operation) return UNKNOWN;
  if (request.payload.getNS() === OWNER) return NOT_YOURS;
  const { node } = operation.element.attrs as { node?: string };
  switch (operation.name) {
    case 'items':
    case 'default':
    case 'subscribe':
      return PRESENCE_REQUIRED;
    case 'unsubscribe':
    case 'options':
      return NOT_SUBSCRIBED;
    case 'subscriptions':
    case 'affiliations':
      return pubsub(xml(operation.name, { node }));
    default:
      return NOT_YOURS;
  }
}
