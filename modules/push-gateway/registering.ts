/*
 * How devices register: by ad-hoc commands (XEP-0050), in the ways that known apps do it. XEP-0357 4 leaves it open. All of them end in a node
 * and a secret, with which the app enables notifications at its user's server. docs/push.md
 */
import { randomBytes } from 'node:crypto';
import type { Answer, IqRequest } from '../../src/api/index.ts';
import { fieldElement, formFields, formTypeField, NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import type { PushChannel, Target } from './channel.ts';
import type { Device } from './device.ts';
import type { DeviceStore } from './store.ts';

/** Most characters of what an app calls a device. */
const LONGEST = 255;

export interface RegisteringParts {
  readonly store: DeviceStore;
  readonly channels: ReadonlyMap<string, PushChannel>;
  /** The key that browsers subscribe with; undefined where they cannot. */
  readonly vapidKey: string | undefined;
  mayRegister(request: IqRequest): boolean;
  perUser(domain: string): number;
  /** Devices are no more, or others. */
  forget(node: string): void;
}

type Values = ReadonlyMap<string, string>;

/** What a command's form asks for. */
interface Wanted {
  readonly channel: string;
  /** What the app calls the device; '' where it has no name for it: then its token is one. */
  readonly name: string;
  readonly target: Target;
}

interface RegisterCommand {
  readonly node: string;
  readonly title: string;
  /** Names of the fields that are asked for. */
  readonly fields: readonly string[];
  /** The channel that it is for; undefined: the form says. */
  readonly channel?: string;
  read(values: Values): Wanted;
}

const of = (values: Values, ...names: string[]): string =>
  names.map(name => values.get(name) ?? '').find(value => value !== '') ?? '';

const REGISTER: readonly RegisterCommand[] = [
  {
    node: 'register-push-web',
    title: 'Register a browser, or an app of Web Push',
    fields: ['endpoint', 'p256dh', 'auth', 'device-id'],
    channel: 'web',
    read: values => ({
      channel: 'web',
      name: of(values, 'device-id'),
      target: { endpoint: of(values, 'endpoint'), p256dh: of(values, 'p256dh'), auth: of(values, 'auth') },
    }),
  },
  {
    // Conversations and what is made of it
    node: 'register-push-fcm',
    title: 'Register an Android device',
    fields: ['token', 'device-id'],
    channel: 'fcm',
    read: values => ({
      channel: 'fcm',
      name: of(values, 'android-id', 'device-id'),
      target: { token: of(values, 'token') },
    }),
  },
  {
    node: 'register-push-apns',
    title: 'Register an Apple device',
    fields: ['token', 'voip-token', 'device-id'],
    channel: 'apns',
    read: values => ({ channel: 'apns', name: of(values, 'device-id'), target: appleTarget(values, 'token') }),
  },
  {
    // Monal, yaxim
    node: 'v1-register-push',
    title: 'Register a device of any kind',
    fields: ['type', 'node', 'token'],
    read: values => anyTarget(of(values, 'type'), of(values, 'node'), values, 'token'),
  },
  {
    // Siskin, Beagle
    node: 'register-device',
    title: 'Register a device of a provider',
    fields: ['provider', 'device-token'],
    read: values => anyTarget(of(values, 'provider'), '', values, 'device-token'),
  },
];

function appleTarget(values: Values, token: string): Target {
  const voip = of(values, 'voip-token');
  return { token: of(values, token).toLowerCase(), ...(voip !== '' && { voip: voip.toLowerCase() }) };
}

/** What apps call the vendors: 'apns-production', 'fcm-xmpp-api', 'gcm'. */
function anyTarget(kind: string, name: string, values: Values, token: string): Wanted {
  const channel = kind.startsWith('apns') ? 'apns' : kind.startsWith('fcm') || kind === 'gcm' ? 'fcm' : kind;
  const target = channel === 'apns' ? appleTarget(values, token) : { token: of(values, token) };
  return { channel, name, target };
}

const UNREGISTER = [
  { node: 'unregister-push', title: 'Forget a device, or all', fields: ['node'] },
  { node: 'unregister-device', title: 'Forget a device of a provider', fields: ['provider', 'device-token'] },
] as const;

interface Named {
  readonly node: string;
  readonly title: string;
}

export class Registering {
  private readonly parts: RegisteringParts;

  constructor(parts: RegisteringParts) {
    this.parts = parts;
  }

  /** The commands that there are. */
  get commands(): readonly Named[] {
    const { channels } = this.parts;
    const usable = REGISTER.filter(({ channel }) => channel === undefined || channels.has(channel));
    return [...usable, ...UNREGISTER];
  }

  async execute(request: IqRequest): Promise<Answer> {
    const { payload } = request;
    const { node, action = 'execute', sessionid } = payload.attrs as Record<string, string | undefined>;
    if (!node) return refuse('bad-request', "A command has a 'node'.");
    if (!this.commands.some(command => command.node === node))
      return refuse('item-not-found', 'There is no such command.');
    if (!this.parts.mayRegister(request)) return refuse('forbidden', 'Only accounts of this server register devices.');
    const session = sessionid ?? randomBytes(9).toString('base64url');
    const answer = (status: string, ...children: (Element | false)[]): Element =>
      xml('command', { xmlns: NS.commands, node, sessionid: session, status }, ...children);
    if (action === 'cancel') return answer('canceled');
    if (action !== 'execute' && action !== 'next' && action !== 'complete')
      return new StanzaError('bad-request', { application: xml('malformed-action', { xmlns: NS.commands }) });
    const x = payload.getChild('x', NS.dataForms);
    const register = REGISTER.find(command => command.node === node);
    // apps fill in forms that they have not asked for, some without saying what they are
    if (!x) return answer('executing', xml('actions', { execute: 'complete' }, xml('complete')), this.form(node));
    const values = new Map(formFields(x).map(({ name = '', values: texts }) => [name, texts[0]?.trim() ?? '']));
    const done = register
      ? await this.register(request, register.read(values))
      : await this.unregister(request, values);
    return done instanceof StanzaError ? done : answer('completed', done);
  }

  private form(node: string): Element {
    const { title, fields } = [...REGISTER, ...UNREGISTER].find(command => command.node === node)!;
    const { vapidKey } = this.parts;
    return xml(
      'x',
      { xmlns: NS.dataForms, type: 'form' },
      xml('title', {}, title),
      formTypeField(node),
      // what a browser subscribes with (the applicationServerKey of the Push API)
      node === 'register-push-web' &&
        vapidKey !== undefined &&
        fieldElement({ name: 'vapid-key', type: 'fixed', values: [vapidKey] }),
      ...fields.map(name => fieldElement({ name, type: 'text-single' })),
    );
  }

  private async register({ from, to }: IqRequest, wanted: Wanted): Promise<Element | StanzaError> {
    const { store, channels, perUser, forget } = this.parts;
    const channel = channels.get(wanted.channel);
    if (!channel) return refuse('item-not-found', 'This gateway has no such channel.');
    const problem = channel.problem(wanted.target);
    if (problem !== undefined) return refuse('not-acceptable', problem);
    if (wanted.name.length > LONGEST)
      return refuse('not-acceptable', `A device's name has at most ${LONGEST} characters.`);
    const fresh: Device = {
      node: randomBytes(18).toString('base64url'),
      owner: from.toBare(),
      channel: channel.name,
      name: wanted.name === '' ? (wanted.target.endpoint ?? wanted.target.token ?? '') : wanted.name,
      target: wanted.target,
      secret: randomBytes(24).toString('base64url'),
      registeredAt: Date.now(),
    };
    const { device, gone } = await store.put(fresh, perUser(to.domain));
    for (const node of gone) forget(node);
    forget(device.node);
    return xml(
      'x',
      { xmlns: NS.dataForms, type: 'result' },
      fieldElement({ name: 'jid', type: 'jid-single', values: [to.domain] }),
      fieldElement({ name: 'node', type: 'text-single', values: [device.node] }),
      fieldElement({ name: 'secret', type: 'text-single', values: [device.secret] }),
    );
  }

  private async unregister({ from }: IqRequest, values: Values): Promise<Element | StanzaError> {
    const { store, forget } = this.parts;
    const [node, token, kind] = [of(values, 'node'), of(values, 'device-token'), of(values, 'provider')];
    const wanted = anyTarget(kind, '', values, 'device-token');
    const devices = (await store.of(from.toBare())).filter(device => {
      if (node !== '') return device.node === node;
      return token === '' || (device.channel === wanted.channel && device.target.token === wanted.target.token);
    });
    for (const device of devices) {
      await store.remove(device.node);
      forget(device.node);
    }
    return xml('note', { type: 'info' }, `${devices.length} devices are forgotten.`);
  }

  // ---- disco (XEP-0050 2.2) -----------------------------------------------------------------------------------------------------

  list({ to }: IqRequest): Element {
    const items = this.commands.map(({ node, title }) => xml('item', { jid: to.full, node, name: title }));
    return xml('query', { xmlns: NS.discoItems, node: NS.commands }, ...items);
  }

  describe(node: string): Element | undefined {
    const command = this.commands.find(each => each.node === node);
    if (node !== NS.commands && !command) return undefined;
    const type = command ? 'command-node' : 'command-list';
    const features = command ? [NS.commands, NS.dataForms] : [NS.discoInfo, NS.discoItems];
    return xml(
      'query',
      { xmlns: NS.discoInfo, node },
      xml('identity', { category: 'automation', type, name: command?.title ?? 'Commands' }),
      ...features.map(feature => xml('feature', { var: feature })),
    );
  }
}
