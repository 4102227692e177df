/* Numbers that administrators give: by `posthouse search number`, or by a command (XEP-0050) of theirs. */
import { type Command, type ModuleOperation, NotDone } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { defineForm, field, refuse } from '../../src/protocol/index.ts';
import { readNumber, WHAT_DIGITS_ARE } from './number.ts';
import { DIRECTORY, type EntryParts, entryOf } from './own-entry.ts';

const NODE = `${DIRECTORY}#number`;

/** Gives a number, or takes it away ('none'). A sentence where that cannot be. */
async function give(parts: EntryParts, account: Jid, text: string): Promise<string | undefined> {
  if (!(await parts.mod.node.accounts.exists(account))) return `There is no account ${account.bare}.`;
  if (parts.mod.options(account.domain).number === 'account')
    return `Numbers of ${account.domain} are the names of its accounts (modules.search.number).`;
  const number = text === 'none' ? '' : readNumber(text, 'assigned');
  if (number === undefined) return WHAT_DIGITS_ARE;
  const done = await parts.store.change(account.domain, [[account, { number }]]);
  return done === 'taken' ? `Another account has the number ${number}.` : undefined;
}

/** `search.number` with an account, and a number or 'none': tells how it is then. */
export function numberOperation(parts: EntryParts): ModuleOperation {
  return {
    name: 'search.number',
    looks: false,
    run: async args => {
      const account = args.address('account')?.toBare();
      if (!account || account.local === '' || !parts.mod.node.hosts.has(account.domain))
        throw new NotDone("This is no account of this server: 'name@domain'.");
      const wanted = args.optional('number');
      const why = wanted === undefined ? undefined : await give(parts, account, wanted);
      if (why !== undefined) throw new NotDone(why);
      return { account: account.bare, ...(await entryOf(parts, account)) };
    },
  };
}

const form = defineForm(NODE, {
  account: field.jid('account', { label: 'Account', bare: true, required: true }),
  number: field.text('number', { label: "Number, or 'none'", most: 40, required: true }),
});

/** The same for administrators of a host. */
export function numberCommand(parts: EntryParts): Command {
  return {
    node: NODE,
    name: 'Give an account a number',
    access: 'admin',
    run: async ({ values, host }) => {
      if (!values)
        return { form: form.form({}, { title: 'Number of an account', instructions: 'It is found by this number.' }) };
      const account = parseJid(values.get('account')?.[0] ?? '')?.toBare();
      if (account?.domain !== host || account.local === '')
        return refuse('not-acceptable', `An account of ${host} is needed.`);
      const why = await give(parts, account, (values.get('number')?.[0] ?? '').trim());
      if (why !== undefined) return refuse('not-acceptable', why);
      return { done: true, note: { type: 'info', text: `${account.bare} has it.` } };
    },
  };
}
