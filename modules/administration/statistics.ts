import type { AccountView, Command, Mod, SessionView } from '../../src/api/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { adminCommand } from './command.ts';

const MOST = {
  name: 'max_items',
  type: 'list-single',
  label: 'At most',
  values: ['100'],
  options: ['25', '50', '75', '100', '150', '200', 'none'].map(value => ({ value, label: value })),
} as const;

/** Presence shows that say "away" (RFC 6121 4.7.2.1). */
const IDLE = new Set(['away', 'xa']);

/** XEP-0133 4.13 to 4.22: numbers and lists of accounts. */
export function statisticsCommands(mod: Mod): Command[] {
  const isIdle = (session: SessionView): boolean => IDLE.has(session.presence?.stanza.childText('show')?.trim() ?? '');
  const online = (host: string) => [...mod.node.users()].filter(user => user.jid.domain === host);
  const active = (host: string) =>
    online(host).filter(user => user.sessions.some(s => s.presence !== undefined && !isIdle(s)));
  const idle = (host: string) =>
    online(host).filter(user => !user.sessions.some(s => s.presence !== undefined && !isIdle(s)));

  /** All accounts of a host of one status, as many as are wanted. */
  const accounts = async (host: string, status: AccountView['status'] | undefined, most: number): Promise<string[]> => {
    const found: string[] = [];
    let after: string | undefined;
    while (found.length < most) {
      const page = await mod.node.accounts.list(host, after, 500);
      if (page.length === 0) break;
      after = page.at(-1)!.jid.local;
      for (const account of page) if (status === undefined || account.status === status) found.push(account.jid.bare);
    }
    return found.slice(0, most);
  };

  const number = (
    node: string,
    name: string,
    field: string,
    count: (host: string) => number | Promise<number>,
  ): Command =>
    adminCommand({
      node,
      name,
      run: async (_values, { host }) => ({
        fields: [{ name: field, type: 'text-single', label: name, values: [String(await count(host))] }],
      }),
    });
  const list = (
    node: string,
    name: string,
    field: string,
    find: (host: string, most: number) => string[] | Promise<string[]>,
  ): Command =>
    adminCommand({
      node,
      name,
      fields: [MOST],
      run: async (values, { host }) => {
        const text = values.text('max_items') || '100';
        const most = text === 'none' ? Infinity : Number(text);
        if (!(most > 0)) return refuse('not-acceptable', `'${text}' is no number of items.`);
        return { fields: [{ name: field, type: 'jid-multi', label: name, values: await find(host, most) }] };
      },
    });
  const names = (users: { jid: { bare: string } }[], most: number) => users.slice(0, most).map(user => user.jid.bare);

  return [
    number('get-registered-users-num', 'Number of accounts', 'registeredusersnum', host =>
      mod.node.accounts.count(host),
    ),
    number(
      'get-disabled-users-num',
      'Number of disabled accounts',
      'disabledusersnum',
      async host => (await accounts(host, 'disabled', Infinity)).length,
    ),
    number('get-online-users-num', 'Number of accounts online', 'onlineusersnum', host => online(host).length),
    number('get-active-users-num', 'Number of active accounts', 'activeusersnum', host => active(host).length),
    number('get-idle-users-num', 'Number of idle accounts', 'idleusersnum', host => idle(host).length),
    list('get-registered-users-list', 'Accounts', 'registereduserjids', (host, most) =>
      accounts(host, undefined, most),
    ),
    list('get-disabled-users-list', 'Disabled accounts', 'disableduserjids', (host, most) =>
      accounts(host, 'disabled', most),
    ),
    list('get-online-users-list', 'Accounts online', 'onlineuserjids', (host, most) => names(online(host), most)),
    list('get-active-users', 'Active accounts', 'activeuserjids', (host, most) => names(active(host), most)),
    // XEP-0133 4.22 calls this field like that of the active ones
    list('get-idle-users', 'Idle accounts', 'activeuserjids', (host, most) => names(idle(host), most)),
  ];
}
