import type { Command, Mod } from '../../src/api/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { Roster, type RosterItem } from '../roster/contract.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { adminCommand, type Told, type Values } from './command.ts';

const MANY = { name: 'accountjids', type: 'jid-multi', label: 'The accounts', required: true } as const;
const ONE = { name: 'accountjid', type: 'jid-single', label: 'The account', required: true } as const;

/** XEP-0133 4.1 to 4.10. */
export function accountCommands(mod: Mod): Command[] {
  const { accounts } = mod.node;

  /** Does something to each of the accounts that were named: to all, or, if one is not there, to none. */
  const each = async (
    values: Values,
    does: (jid: Jid) => unknown,
    done: string,
    isThere: (jid: Jid) => boolean | Promise<boolean> = jid => accounts.exists(jid.toBare()),
  ): Promise<Told> => {
    const jids = values.accounts('accountjids');
    if (jids instanceof StanzaError) return jids;
    const missing: Jid[] = [];
    for (const jid of jids) if (!(await isThere(jid))) missing.push(jid);
    if (missing.length > 0) return refuse('item-not-found', `There is no ${missing.map(jid => jid.full).join(', ')}.`);
    for (const jid of jids) await does(jid);
    return { note: `${done}: ${jids.map(jid => jid.full).join(', ')}.` };
  };

  return [
    adminCommand({
      node: 'add-user',
      name: 'Add an account',
      fields: [
        ONE,
        { name: 'password', type: 'text-private', label: 'Password', required: true },
        { name: 'password-verify', type: 'text-private', label: 'Password again', required: true },
        { name: 'email', type: 'text-single', label: 'E-mail address' },
        { name: 'given_name', type: 'text-single', label: 'Given name' },
        { name: 'surname', type: 'text-single', label: 'Family name' },
      ],
      run: async values => {
        const jid = values.account('accountjid');
        if (jid instanceof StanzaError) return jid;
        const password = values.text('password');
        if (password === '') return refuse('not-acceptable', 'A password is needed.');
        if (values.text('password-verify') !== password) return refuse('not-acceptable', 'The two passwords differ.');
        const result = await accounts.create(jid.toBare(), password);
        if (result === 'exists') return refuse('conflict', `${jid.bare} exists already.`);
        if (result === 'too-long') return refuse('not-acceptable', 'A name has at most 110 characters.');
        if (result === 'invalid')
          return refuse('not-acceptable', 'The password holds characters that are not allowed (RFC 8265).');
        return { note: `${jid.bare} was added.` };
      },
    }),
    adminCommand({
      node: 'delete-user',
      name: 'Delete accounts',
      fields: [MANY],
      run: values => each(values, jid => accounts.remove(jid.toBare()), 'Deleted'),
    }),
    adminCommand({
      node: 'disable-user',
      name: 'Disable accounts',
      fields: [MANY],
      run: values =>
        each(
          values,
          async jid => {
            await accounts.setStatus(jid.toBare(), 'disabled');
            mod.node.closeSessions(jid.toBare(), { condition: 'policy-violation', text: 'The account was disabled.' });
          },
          'Disabled',
        ),
    }),
    adminCommand({
      node: 'reenable-user',
      name: 'Enable disabled accounts',
      fields: [MANY],
      run: values => each(values, jid => accounts.setStatus(jid.toBare(), 'active'), 'Enabled'),
    }),
    adminCommand({
      node: 'end-user-session',
      name: 'End sessions',
      instructions: 'A full address ends one session, a bare one all sessions of the account.',
      fields: [MANY],
      run: values =>
        each(
          values,
          jid => {
            const error = { condition: 'policy-violation', text: 'An administrator ended the session.' } as const;
            if (jid.resource === '') mod.node.closeSessions(jid, error);
            else mod.node.session(jid)?.close(error);
          },
          'Ended',
          jid => (jid.resource === '' ? mod.node.user(jid) : mod.node.session(jid)) !== undefined,
        ),
    }),
    adminCommand({
      node: 'change-user-password',
      name: "Change an account's password",
      fields: [ONE, { name: 'password', type: 'text-private', label: 'The new password', required: true }],
      run: async values => {
        const jid = values.account('accountjid');
        if (jid instanceof StanzaError) return jid;
        const password = values.text('password');
        if (password === '') return refuse('not-acceptable', 'A password is needed.');
        const result = await accounts.setPassword(jid.toBare(), password);
        if (result === 'unknown') return refuse('item-not-found', `There is no account ${jid.bare}.`);
        if (result === 'invalid')
          return refuse('not-acceptable', 'The password holds characters that are not allowed (RFC 8265).');
        return { note: `${jid.bare} has a new password.` };
      },
    }),
    adminCommand({
      node: 'get-user-roster',
      name: "Show an account's roster",
      fields: [MANY],
      run: async values => {
        const jids = values.accounts('accountjids');
        if (jids instanceof StanzaError) return jids;
        const roster = mod.maybe(Roster);
        if (!roster) return refuse('feature-not-implemented', 'The module roster is off.');
        const queries: Element[] = [];
        for (const jid of jids) {
          if (!(await accounts.exists(jid.toBare())))
            return refuse('item-not-found', `There is no account ${jid.bare}.`);
          queries.push(rosterQuery([...(await roster.get(jid.toBare())).values()]));
        }
        return {
          fields: [{ name: 'accountjids', type: 'jid-multi', values: jids.map(jid => jid.bare) }],
          more: queries,
        };
      },
    }),
    adminCommand({
      node: 'get-user-lastlogin',
      name: "Show an account's last login",
      fields: [MANY],
      run: async values => {
        const jids = values.accounts('accountjids');
        if (jids instanceof StanzaError) return jids;
        const times: string[] = [];
        for (const jid of jids) {
          const account = await accounts.get(jid.toBare());
          if (!account) return refuse('item-not-found', `There is no account ${jid.bare}.`);
          if (mod.node.user(jid.toBare())) times.push('Online');
          else times.push(account.lastLogin === undefined ? 'Never' : new Date(account.lastLogin).toISOString());
        }
        return {
          fields: [
            { name: 'accountjids', type: 'jid-multi', values: jids.map(jid => jid.bare) },
            { name: 'lastlogin', type: 'text-multi', label: 'Last login', values: times },
          ],
        };
      },
    }),
    adminCommand({
      node: 'user-stats',
      name: "Show an account's figures",
      fields: [ONE],
      run: async values => {
        const jid = values.account('accountjid');
        if (jid instanceof StanzaError) return jid;
        if (!(await accounts.exists(jid.toBare()))) return refuse('item-not-found', `There is no account ${jid.bare}.`);
        const sessions = mod.node.user(jid.toBare())?.sessions ?? [];
        const roster = await mod.maybe(Roster)?.get(jid.toBare());
        return {
          fields: [
            { name: 'accountjid', type: 'jid-single', values: [jid.bare] },
            {
              name: 'ipaddresses',
              type: 'text-multi',
              label: 'Addresses',
              values: [...new Set(sessions.map(s => s.address))],
            },
            { name: 'rostersize', type: 'text-single', label: 'Contacts', values: [String(roster?.size ?? 0)] },
            {
              name: 'onlineresources',
              type: 'text-multi',
              label: 'Resources',
              values: sessions.map(s => s.jid.resource),
            },
          ],
        };
      },
    }),
  ];
}

/** A roster as RFC 6121 2.1.2 writes it: XEP-0133 4.8. */
function rosterQuery(items: readonly RosterItem[]): Element {
  return xml(
    'query',
    { xmlns: NS.roster },
    ...items.map(({ jid, name, subscription, ask, groups }) =>
      xml(
        'item',
        { jid, name, subscription, ask: ask ? 'subscribe' : undefined },
        ...groups.map(group => xml('group', {}, group)),
      ),
    ),
  );
}
