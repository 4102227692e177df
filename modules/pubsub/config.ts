import {
  defineForm,
  field,
  type Form,
  refuse,
  StanzaError,
  submittedFields,
  WrongValue,
} from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { NODE_CONFIG, PUBLISH_OPTIONS, refusal, unsupported } from './names.ts';

/** As much as the server allows: 'max' in forms. */
export const MAX = Number.MAX_SAFE_INTEGER;

/** How a node is configured: XEP-0060 16.4.4. */
export interface NodeConfig {
  readonly title: string;
  readonly description: string;
  readonly language: string;
  readonly contact: readonly string[];
  /** The semantic type of its payloads, usually their namespace. */
  readonly type: string;
  readonly accessModel: AccessModel;
  readonly rosterGroupsAllowed: readonly string[];
  readonly publishModel: PublishModel;
  readonly publishNodeFull: 'retract-oldest' | 'discard-oldest' | 'reject';
  readonly persistItems: boolean;
  readonly maxItems: number;
  /** Seconds. */
  readonly itemExpire: number;
  /** Bytes. */
  readonly maxPayloadSize: number;
  readonly subscribe: boolean;
  readonly deliverNotifications: boolean;
  readonly deliverPayloads: boolean;
  readonly notifyConfig: boolean;
  readonly notifyDelete: boolean;
  readonly notifyRetract: boolean;
  readonly notifySub: boolean;
  readonly notificationType: 'headline' | 'normal';
  readonly sendLastPublishedItem: 'never' | 'on_sub' | 'on_sub_and_presence';
  readonly presenceBasedDelivery: boolean;
  readonly itemreply: 'none' | 'publisher';
}

/** XEP-0060 4.5. */
export type AccessModel = 'open' | 'presence' | 'roster' | 'authorize' | 'whitelist';
type PublishModel = 'publishers' | 'subscribers' | 'open';

/** What a node at a service of its own begins with. */
export const SERVICE_DEFAULTS: NodeConfig = {
  title: '',
  description: '',
  language: '',
  contact: [],
  type: '',
  accessModel: 'open',
  rosterGroupsAllowed: [],
  publishModel: 'publishers',
  publishNodeFull: 'retract-oldest',
  persistItems: true,
  maxItems: MAX,
  itemExpire: MAX,
  maxPayloadSize: MAX,
  subscribe: true,
  deliverNotifications: true,
  deliverPayloads: true,
  notifyConfig: false,
  notifyDelete: true,
  notifyRetract: true,
  notifySub: false,
  notificationType: 'headline',
  sendLastPublishedItem: 'on_sub',
  presenceBasedDelivery: false,
  itemreply: 'none',
};

/** What a node of an account begins with: XEP-0163 5. */
export const PERSONAL_DEFAULTS: NodeConfig = {
  ...SERVICE_DEFAULTS,
  accessModel: 'presence',
  maxItems: 1,
  sendLastPublishedItem: 'on_sub_and_presence',
};

/** What an operator allows. */
export interface ConfigLimits {
  /** Items of a node. */
  readonly items: number;
  /** Bytes of a payload. */
  readonly size: number;
}

const YEARS = 100 * 365 * 86_400; // seconds

const contacts = field.jids('pubsub#contact', { label: 'Whom to ask about the node', most: 20 });

function fields({ items, size }: ConfigLimits) {
  return {
    title: field.text('pubsub#title', { label: 'A name for people', most: 200 }),
    description: field.text('pubsub#description', { label: 'What it is about', most: 2000 }),
    language: field.text('pubsub#language', { label: 'The language of its items', most: 35 }),
    contact: {
      ...contacts,
      write: (value: readonly string[]) => value,
      read: (values: readonly string[]) => {
        const read = contacts.read(values);
        return read === undefined || read instanceof WrongValue ? read : read.map(jid => jid.full);
      },
    },
    type: field.text('pubsub#type', { label: 'The namespace of its payloads; any when empty', most: 1000 }),
    accessModel: field.choice(
      'pubsub#access_model',
      {
        open: 'Anybody may subscribe and read',
        presence: 'Who may see the presence of an owner may subscribe and read',
        roster: 'Who is in one of these roster groups of an owner may subscribe and read',
        authorize: 'An owner lets in those who subscribe; only they read',
        whitelist: 'Members may subscribe and read',
      },
      { label: 'Who may subscribe and read' },
    ),
    rosterGroupsAllowed: field.texts('pubsub#roster_groups_allowed', {
      label: 'Roster groups that may subscribe and read',
      most: 100,
    }),
    publishModel: field.choice(
      'pubsub#publish_model',
      { publishers: 'Publishers and owners', subscribers: 'Subscribers too', open: 'Anybody' },
      { label: 'Who may publish' },
    ),
    publishNodeFull: field.choice(
      'pubsub#publish_node_full',
      {
        'retract-oldest': 'The oldest item is retracted',
        'discard-oldest': 'The oldest item is dropped without a word',
        reject: 'What is published is refused',
      },
      { label: 'What happens when the node is full' },
    ),
    persistItems: field.boolean('pubsub#persist_items', { label: 'Keep items' }),
    maxItems: field.integer('pubsub#max_items', {
      label: `Items that are kept, at most ${items} ("max")`,
      minimum: 1,
      maximum: items,
      words: { max: MAX },
    }),
    itemExpire: field.integer('pubsub#item_expire', {
      label: 'Seconds after which an item goes; "max" for never',
      minimum: 1,
      maximum: YEARS,
      words: { max: MAX },
    }),
    maxPayloadSize: field.integer('pubsub#max_payload_size', {
      label: `Bytes of a payload, at most ${size} ("max")`,
      minimum: 1,
      maximum: size,
      words: { max: MAX },
    }),
    subscribe: field.boolean('pubsub#subscribe', { label: 'Allow subscriptions' }),
    deliverNotifications: field.boolean('pubsub#deliver_notifications', { label: 'Tell subscribers what happens' }),
    deliverPayloads: field.boolean('pubsub#deliver_payloads', { label: 'Send payloads with what is told' }),
    notifyConfig: field.boolean('pubsub#notify_config', { label: 'Tell subscribers of a new configuration' }),
    notifyDelete: field.boolean('pubsub#notify_delete', { label: 'Tell subscribers when the node is deleted' }),
    notifyRetract: field.boolean('pubsub#notify_retract', { label: 'Tell subscribers of items that are retracted' }),
    notifySub: field.boolean('pubsub#notify_sub', { label: 'Tell owners who subscribes and who does no more' }),
    notificationType: field.choice(
      'pubsub#notification_type',
      { headline: 'Headline: lost on those who are away', normal: 'Normal: kept for those who are away' },
      { label: 'The type of the messages' },
    ),
    sendLastPublishedItem: field.choice(
      'pubsub#send_last_published_item',
      {
        never: 'Never',
        on_sub: 'When somebody subscribes',
        on_sub_and_presence: 'When somebody subscribes, and when a subscriber comes online',
      },
      { label: 'When the last item is sent' },
    ),
    presenceBasedDelivery: field.boolean('pubsub#presence_based_delivery', {
      label: 'Tell only subscribers who are online',
    }),
    itemreply: field.choice(
      'pubsub#itemreply',
      { none: 'Not shown', publisher: 'Shown with each item' },
      { label: 'The publisher of an item' },
    ),
  } as const;
}

/** A configuration as owners fill it in, or as preconditions of publishing. */
export class ConfigForm {
  readonly form: Form<ReturnType<typeof fields>>;
  private readonly options: Form<ReturnType<typeof fields>>;
  private readonly limits: ConfigLimits;
  private readonly known: ReadonlySet<string>;

  constructor(limits: ConfigLimits) {
    const declared = fields(limits);
    this.limits = limits;
    this.form = defineForm(NODE_CONFIG, declared);
    this.options = defineForm(PUBLISH_OPTIONS, declared);
    this.known = new Set([NODE_TYPE, ...Object.values(declared).map(({ name }) => name)]);
  }

  /** What holds when this is submitted: fields that are missing stay as they are (XEP-0060 8.2.4). */
  read(x: Element, before: NodeConfig): NodeConfig | StanzaError {
    const changes = isOfCollection(x) ? NO_COLLECTIONS : this.form.read(x);
    return changes instanceof StanzaError ? changes : { ...before, ...changes };
  }

  /** XEP-0060 7.1.5: what is expected of a node that is published to. */
  preconditions(x: Element): Partial<NodeConfig> | StanzaError {
    const submitted = submittedFields(x, PUBLISH_OPTIONS);
    if (submitted instanceof StanzaError) return submitted;
    for (const name of submitted.keys())
      if (!this.known.has(name)) return unmet(`A field '${name.slice(0, 100)}' is not known here.`);
    return isOfCollection(x) ? NO_COLLECTIONS : this.options.read(x);
  }

  /** Why a node is not as it is expected to be; undefined where it is. */
  unmet(expected: Partial<NodeConfig>, config: NodeConfig): StanzaError | undefined {
    for (const [key, value] of Object.entries(expected)) {
      const name = key as keyof NodeConfig;
      if (this.text(name, value) === this.text(name, config[name])) continue;
      return unmet(`The field '${this.form.fields[name].name}' has another value at this node.`);
    }
    return undefined;
  }

  private text(name: keyof NodeConfig, value: unknown): string {
    if (name === 'maxItems') return String(Math.min(value as number, this.limits.items));
    if (name === 'maxPayloadSize') return String(Math.min(value as number, this.limits.size));
    return Array.isArray(value) ? JSON.stringify((value as string[]).toSorted()) : String(value);
  }
}

const NODE_TYPE = 'pubsub#node_type';
export const NO_COLLECTIONS = unsupported('collections', 'There are only leaf nodes here.');

/** Whether a form is about a collection (XEP-0248). */
export function isOfCollection(x: Element): boolean {
  const type = x.getChildren('field').find(({ attrs }) => attrs.var === NODE_TYPE);
  const value = type?.getChildText('value');
  return typeof value === 'string' && value !== 'leaf';
}

function unmet(text: string): StanzaError {
  return refusal('conflict', 'precondition-not-met', { text });
}

/** The form in a request; an error where a form must be there and is not. */
export function formIn(element: Element): Element | StanzaError {
  return element.getChild('x', 'jabber:x:data') ?? refuse('bad-request', 'A data form (XEP-0004) is needed.');
}
