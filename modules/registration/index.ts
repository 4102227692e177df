/*
 * In-band registration (XEP-0077): making an account (off unless the configuration says so), changing the password, removing
 * the account. Making accounts is throttled by address, and names can be kept back.
 */
import {
  type Answer,
  defineModule,
  defineOptions,
  Empty,
  type IqRequest,
  type Mod,
  option,
} from '../../src/api/index.ts';
import { Jid, prepareLocal } from '../../src/jid/index.ts';
import { formFields, NS, StanzaError, type StanzaErrorCondition } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { Budget } from './budget.ts';

const FORM_FIELDS = ['username', 'password'] as const;

const options = defineOptions({
  open: option.boolean({ default: false, doc: 'Whether anybody may make an account.', reload: 'live' }),
  changePassword: option.boolean({ default: true, doc: 'Whether users may change their password.', reload: 'live' }),
  removeAccount: option.boolean({ default: true, doc: 'Whether users may remove their account.', reload: 'live' }),
  perAddress: option.integer({
    default: 5,
    minimum: 0,
    maximum: 1_000_000,
    doc: 'Accounts that one address may make in an hour; 0 for any number.',
    reload: 'live',
  }),
  minimumPassword: option.integer({
    default: 8,
    minimum: 1,
    maximum: 128,
    unit: 'characters',
    doc: 'Shortest password that is accepted.',
    reload: 'live',
  }),
  reserved: option.list(option.string({ doc: 'A local part.' }), {
    default: [
      'abuse',
      'admin',
      'administrator',
      'hostmaster',
      'info',
      'noc',
      'postmaster',
      'root',
      'security',
      'support',
      'webmaster',
      'xmpp',
    ],
    doc: 'Names that nobody can register.',
    reload: 'live',
  }),
  instructions: option.string({
    default: 'Choose a name and a password.',
    doc: 'What the client shows above the form.',
    reload: 'live',
  }),
});

type M = Mod<typeof options>;

export default defineModule({
  name: 'registration',
  doc: 'Lets people make an account from their client, change its password and remove it.',
  xeps: [{ number: 77, version: '2.4' }],
  options,
  setup(mod) {
    // XEP-0077 10
    mod.feature('host', NS.register, host => {
      const { open, changePassword, removeAccount } = mod.options(host);
      return open || changePassword || removeAccount;
    });
    const budget = new Budget(3_600_000);
    mod.add('streamFeatures', {
      when: 'before-login',
      feature: host => (mod.options(host).open ? xml('register', { xmlns: NS.registerFeature }) : undefined),
    });
    mod.add('beforeLogin', {
      xmlns: NS.register,
      answer: ({ host, address, type, payload }) => {
        // XEP-0077 3.1
        if (payload.name !== 'query' || !mod.options(host).open) return no('service-unavailable');
        return type === 'get' ? form(mod, host) : create(mod, budget, host, address, payload);
      },
    });
    mod.iq({ xmlns: NS.register, name: 'query', type: 'get', to: 'both' }, request =>
      isRegistered(request) ? registered(request.from) : no('service-unavailable'),
    );
    mod.iq({ xmlns: NS.register, name: 'query', type: 'set', to: 'both' }, request =>
      // XEP-0077 3.2: the sender was not registered here
      isRegistered(request) ? change(mod, request) : no('registration-required'),
    );
    mod.every(60_000, () => budget.forget());
  },
});

/** XEP-0077 3.1.1: what is to be filled in. */
function form(mod: M, host: string): Element {
  return xml(
    'query',
    { xmlns: NS.register },
    xml('instructions', {}, mod.options(host).instructions),
    ...FORM_FIELDS.map(name => xml(name)),
  );
}

/** Whether the sender has an account of the host that it asks. */
function isRegistered({ from, to, session }: IqRequest): boolean {
  return session !== undefined && !session.anonymous && from.domain === to.domain;
}

/** XEP-0077 3.1: who is registered is told so. */
function registered(from: Jid): Element {
  return xml(
    'query',
    { xmlns: NS.register },
    xml('registered'),
    xml('instructions', {}, 'You are registered. A name and a password change the password.'),
    xml('username', {}, from.local),
    xml('password'),
  );
}

/** Refuses without saying the request again: it may hold a password (XEP-0077 3.3). */
function no(condition: StanzaErrorCondition, text?: string, type?: 'wait'): StanzaError {
  return new StanzaError(condition, { text, type, alone: true });
}

async function create(mod: M, budget: Budget, host: string, address: string, payload: Element): Promise<Answer> {
  const { perAddress, minimumPassword, reserved } = mod.options(host);
  const fields = read(payload);
  if (fields.username === '' || fields.password === '')
    return no('not-acceptable', 'A name and a password are needed.');
  const local = prepareLocal(fields.username);
  if (local === undefined) return no('jid-malformed', 'This name cannot be part of an address (RFC 7622).');
  const jid = new Jid(local, host, '');
  // an administrator's name gives an administrator's rights
  if (reserved.some(name => prepareLocal(name) === local) || mod.node.isAdmin(jid, host))
    return no('conflict', 'This name is kept back.');
  if ([...fields.password].length < minimumPassword)
    return no('not-acceptable', `A password has at least ${minimumPassword} characters.`);
  if (perAddress > 0 && !budget.spend(address, perAddress)) {
    return no('resource-constraint', 'Too many accounts from your address. Try again later.', 'wait');
  }
  const result = await mod.node.accounts.create(jid, fields.password);
  if (result === 'created') {
    mod.log.info({ account: jid.bare, address }, 'account registered');
    return Empty;
  }
  budget.giveBack(address);
  if (result === 'too-long') return no('not-acceptable', 'A name has at most 110 characters.');
  // XEP-0077 3.1.1
  return result === 'exists'
    ? no('conflict', 'This name is taken.')
    : no('not-acceptable', 'The password holds characters that are not allowed.');
}

/** XEP-0077 3.2, 3.3. */
async function change(mod: M, { from, session, payload }: IqRequest): Promise<Answer> {
  const { changePassword, removeAccount, minimumPassword } = mod.options(from.domain);
  const account = from.toBare();
  if (payload.getChild('remove', NS.register)) {
    if (payload.getChildElements().length > 1) return no('bad-request', '<remove/> stands alone.');
    if (!removeAccount) return no('not-allowed', 'Accounts cannot be removed by their users here.');
    // the answer leaves before the sessions are closed
    setImmediate(() => {
      mod.node.accounts
        .remove(account)
        .catch((error: unknown) =>
          mod.log.error({ err: error, account: account.bare }, 'an account could not be removed'),
        );
    });
    return Empty;
  }
  const { username, password } = read(payload);
  if (username === '' || password === '') return no('bad-request', 'A name and a password are needed.');
  if (prepareLocal(username) !== from.local) return no('not-allowed', "Nobody changes another's password.");
  if (!changePassword) return no('not-allowed', 'Passwords cannot be changed by users here.');
  if ([...password].length < minimumPassword)
    return no('not-acceptable', `A password has at least ${minimumPassword} characters.`);
  const result = await mod.node.accounts.setPassword(account, password, session);
  if (result === 'invalid') return no('not-acceptable', 'The password holds characters that are not allowed.');
  return result === 'set' ? Empty : no('item-not-found');
}

/** Name and password, from the plain elements or from a form (XEP-0077 4). */
function read(payload: Element): { username: string; password: string } {
  const submitted = payload.getChild('x', NS.dataForms);
  const fields = submitted ? formFields(submitted) : [];
  const value = (wanted: string): string =>
    fields.find(({ name }) => name === wanted)?.values[0] ?? payload.getChildText(wanted, NS.register) ?? '';
  return { username: value('username').trim(), password: value('password') };
}
