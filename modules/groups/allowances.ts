/* How many groups a user may found, where that is not as for everybody (R105): by `posthouse group allow`, or by an administrator's command. */
import { type Command, type ModuleOperation, type NodeView, NotDone } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { defineForm, field, refuse } from '../../src/protocol/index.ts';
import { accountKey } from '../rooms/contract.ts';
import { GROUPS } from './errors.ts';
import type { GroupOptions } from './options.ts';
import type { GroupStore } from './store.ts';

const MOST = 1_000_000;

export interface AllowanceParts {
  readonly node: NodeView;
  readonly store: GroupStore;
  options(host: string): GroupOptions;
  domainOf(host: string): string | undefined;
}

async function allowed({ store, options, domainOf }: AllowanceParts, account: Jid) {
  const own = await store.allowances.get(account);
  const domain = domainOf(account.domain);
  const there = domain === undefined ? 0 : await store.founded(accountKey(account.bare), domain, 'group');
  return { account: account.bare, most: own ?? options(account.domain).perUser, own: own !== undefined, there };
}

/** `group.allow` with an account and a number, 'default', or nothing: tells how it is then. */
export function allowOperation(parts: AllowanceParts): ModuleOperation {
  return {
    name: 'group.allow',
    looks: false,
    run: async args => {
      const account = args.address('account')?.toBare();
      if (!account || account.local === '') throw new NotDone("This is no account: 'name@domain'.");
      if (!(await parts.node.accounts.exists(account))) throw new NotDone(`There is no account ${account.bare}.`);
      const wanted = args.optional('most');
      if (wanted !== undefined) {
        const most = /^\d{1,7}$/.test(wanted) ? Number(wanted) : NaN;
        if (wanted !== 'default' && !(most <= MOST)) throw new NotDone(`A number from 0 to ${MOST}, or 'default'.`);
        await parts.store.allowances.set(account, wanted === 'default' ? undefined : most);
      }
      return allowed(parts, account);
    },
  };
}

const FORM = `${GROUPS}#allow`;
const form = defineForm(FORM, {
  account: field.jid('account', { label: 'Account', bare: true, required: true }),
  most: field.integer('most', {
    label: 'Groups that it may found',
    minimum: 0,
    maximum: MOST,
    words: { default: -1 },
    required: true,
  }),
});

/** The same for administrators of a host. */
export function allowCommand(parts: AllowanceParts): Command {
  return {
    node: FORM,
    name: 'Set how many groups an account may found',
    access: 'admin',
    run: async ({ values, host }) => {
      if (!values)
        return { form: form.form({}, { title: 'Groups of an account', instructions: "A number, or 'default'." }) };
      const account = parseJid(values.get('account')?.[0] ?? '')?.toBare();
      const most = form.fields.most.read(values.get('most') ?? []);
      if (account?.domain !== host || account.local === '')
        return refuse('not-acceptable', `An account of ${host} is needed.`);
      if (typeof most !== 'number') return refuse('not-acceptable', `A number from 0 to ${MOST}, or 'default'.`);
      if (!(await parts.node.accounts.exists(account))) return refuse('item-not-found', 'There is no such account.');
      await parts.store.allowances.set(account, most < 0 ? undefined : most);
      const now = await allowed(parts, account);
      return {
        done: true,
        note: { type: 'info', text: `${now.account} has ${now.there} groups, and may have ${now.most}.` },
      };
    },
  };
}
