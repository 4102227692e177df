import { NotDone, type OperationArguments } from '../api/operation.ts';
import type { ClientView } from '../api/node-view.ts';
import { type Jid, jidProblem, parseJid } from '../jid/index.ts';
import type { Node } from './node.ts';
import { accountsOf, exported, imported, importAccount, type ImportEntry, sections } from './portability.ts';
import { statusOf } from './status.ts';

/** What `posthouse` asks a node to do, over the socket in the data folder. A rejection's message is for the operator. */
export class Operations {
  private readonly node: Node;

  constructor(node: Node) {
    this.node = node;
  }

  /** Runs a command of the table below. */
  async run(request: unknown): Promise<unknown> {
    const { command, args } = (request ?? {}) as { command?: unknown; args?: unknown };
    const given = new Arguments(args);
    const own = [...this.node.collections.operations.items()].find(({ name }) => name === command);
    if (own?.looks) return own.run(given);
    const operation = own
      ? () => own.run(given)
      : typeof command === 'string' && Object.hasOwn(OPERATIONS, command)
        ? OPERATIONS[command]
        : undefined;
    if (!operation)
      throw new Error(
        MODULE_OF[String(command)] ??
          `this node knows no operation '${String(command)}': is 'posthouse' of another version than the node?`,
      );
    const result: unknown = await operation(this.node, given);
    // who did it had the right to; what was done, and to whom, is for the log. Passwords are not
    if (!LOOKS.test(command as string))
      this.node.log.info({ command, jid: given.optional('jid'), name: given.optional('name') }, 'an operator did this');
    return result;
  }
}

class Arguments implements OperationArguments {
  private readonly values: Record<string, unknown>;

  constructor(values: unknown) {
    this.values = typeof values === 'object' && values !== null ? (values as Record<string, unknown>) : {};
  }

  text(name: string): string {
    const value = this.values[name];
    if (typeof value !== 'string' || value === '') throw new NotDone(`'${name}' is missing`);
    return value;
  }

  optional(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' ? value : undefined;
  }

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  /** What `posthouse` itself wrote. */
  list<T>(name: string): readonly T[] {
    const value = this.values[name];
    return Array.isArray(value) ? (value as T[]) : [];
  }

  address(name: string): Jid | undefined {
    const text = this.optional(name);
    if (text === undefined) return undefined;
    const jid = parseJid(text);
    if (!jid) throw new NotDone(`'${text}' is not an address: ${jidProblem(text) ?? 'see RFC 7622'}`);
    return jid;
  }

  /** The address of an account of a host of this node. */
  account(node: Node): Jid {
    const jid = this.jid();
    if (jid.local === '' || jid.resource !== '')
      throw new Error(`'${jid.full}' is not the address of an account (name@domain)`);
    if (!node.hosts.has(jid.domain)) {
      throw new Error(
        `this node does not serve '${jid.domain}' (it serves ${[...node.hosts].join(', ')}): add it below 'hosts' in the configuration`,
      );
    }
    return jid;
  }

  jid(): Jid {
    const text = this.text('jid');
    const jid = parseJid(text);
    if (!jid) throw new Error(`'${text}' is not an address: ${jidProblem(text) ?? 'see RFC 7622'}`);
    return jid;
  }
}

/** Operations that change nothing. */
const LOOKS = /\.(?:list|show|addable)$|^user\.(?:export-accounts|export-entries|import-entries)$|^status$/;

/** What is said of an operation whose module is off. */
const MODULE_OF: Record<string, string> = {
  'message.trace':
    "the module 'trace' is off: take 'trace: false' out of the configuration and start the node, or 'posthouse module load trace'",
  'group.allow':
    "the module 'groups' is off: name it in the configuration and start the node, or 'posthouse module load groups'",
};

type Operation = (node: Node, args: Arguments) => unknown;

const PASSWORD = 'this password cannot be used: it is empty or holds characters that are not allowed (RFC 8265)';

const OPERATIONS: Record<string, Operation> = {
  'user.add': async (node, args) => {
    const jid = args.account(node);
    const result = await node.accounts.create(jid, args.text('password'));
    if (result === 'exists') throw exists(jid);
    if (result === 'too-long')
      throw new Error('the address is too long: a name has at most 110 characters, a domain 80');
    if (result === 'invalid') throw new Error(PASSWORD);
    return { jid: jid.bare };
  },
  /** Whether an account could be added: asked before anybody types a password. */
  'user.addable': async (node, args) => {
    const jid = args.account(node);
    if (await node.accounts.get(jid)) throw exists(jid);
    return { jid: jid.bare };
  },
  'user.passwd': async (node, args) => {
    const jid = args.account(node);
    const result = await node.accounts.setPassword(jid, args.text('password'));
    if (result === 'unknown') throw unknown(jid);
    if (result === 'invalid') throw new Error(PASSWORD);
    return { jid: jid.bare };
  },
  'user.list': async (node, args) => {
    const host = args.optional('host');
    if (host !== undefined && !node.hosts.has(host))
      throw new Error(`this node does not serve '${host}' (it serves ${[...node.hosts].join(', ')})`);
    const out: unknown[] = [];
    for (const domain of host ? [host] : node.hosts) {
      let after: string | undefined;
      for (;;) {
        const page = await node.accounts.list(domain, after, 1000);
        if (page.length === 0) break;
        after = page.at(-1)!.jid.local;
        for (const account of page) out.push(describe(node, account.jid, account));
      }
    }
    return out;
  },
  'user.show': async (node, args) => {
    const jid = args.account(node);
    const account = await node.accounts.get(jid);
    if (!account) throw unknown(jid);
    return describe(node, jid, account);
  },
  'user.disable': async (node, args) => {
    const jid = args.account(node);
    if (!(await node.accounts.setStatus(jid, 'disabled'))) throw unknown(jid);
    node.closeSessions(jid, { condition: 'policy-violation', text: 'The account was disabled.' });
    return { jid: jid.bare };
  },
  'user.enable': async (node, args) => {
    const jid = args.account(node);
    if (!(await node.accounts.setStatus(jid, 'active'))) throw unknown(jid);
    return { jid: jid.bare };
  },
  'user.delete': async (node, args) => {
    const jid = args.account(node);
    if (!(await node.accounts.remove(jid))) throw unknown(jid);
    return { jid: jid.bare };
  },
  /** What can be exported and imported (XEP-0227), and of which hosts. */
  'user.export-begin': node => ({ sections: sections(node), hosts: [...node.hosts] }),
  'user.export-accounts': (node, args) => accountsOf(node, args.text('host'), args.optional('after') ?? ''),
  'user.export-entries': (node, args) =>
    exported(node, args.account(node), args.text('section'), args.optional('after') ?? ''),
  'user.import-begin': node => ({ sections: sections(node), hosts: [...node.hosts] }),
  'user.import-account': (node, args) =>
    importAccount(node, args.account(node), args.optional('password'), args.list<string>('credentials')),
  'user.import-entries': (node, args) =>
    imported(node, args.account(node), args.text('section'), args.list<ImportEntry>('entries')),
  /** Of an account that is named, clients that are away and can come back by a token are told too. */
  'session.list': async (node, args) => {
    const account = args.optional('jid') === undefined ? undefined : args.jid().toBare();
    const bare = account?.bare;
    const clients = account ? await node.clients.list(account) : [];
    const sessions = [...node.sessions()]
      .filter(session => bare === undefined || session.user.jid.bare === bare)
      .map(session => ({
        id: session.id,
        jid: session.jid.full,
        transport: session.transport,
        address: session.address,
        since: new Date(session.since).toISOString(),
        state: session.connected ? 'connected' : 'waiting for resumption',
        available: session.presence !== undefined,
        priority: session.priority,
        queued: session.outbox.size,
        client: session.client ?? null,
      }));
    if (!account) return sessions;
    const named = new Map(clients.map(client => [client.id, client]));
    return [
      ...sessions.map(session => ({ ...session, ...clientOf(named.get(session.client ?? '')) })),
      ...clients.filter(client => client.sessions.length === 0).map(client => awayOf(account, client)),
    ];
  },
  /** Takes the tokens of one client of an account, or of all, and ends their sessions. */
  'session.revoke': async (node, args) => {
    const account = args.account(node);
    const id = args.optional('client');
    const clients = (await node.clients.list(account)).filter(client => id === undefined || client.id === id);
    if (clients.length === 0) {
      throw new Error(
        id === undefined
          ? `${account.bare} has no clients`
          : `${account.bare} has no client ${id}; 'posthouse session list ${account.bare}' shows them`,
      );
    }
    let password = false;
    for (const client of clients) {
      if ((await node.clients.revoke(account, client.id)) === 'knows-password') password = true;
    }
    return { revoked: clients.length, password };
  },
  'session.close': (node, args) => {
    const jid = args.jid();
    const seeOther = args.optional('seeOtherHost');
    const error = seeOther
      ? ({ condition: 'see-other-host', value: seeOther } as const)
      : ({ condition: 'policy-violation', text: 'An administrator ended the session.' } as const);
    const sessions = [...node.sessions()].filter(session =>
      jid.resource === '' ? session.user.jid.bare === jid.bare : session.jid.full === jid.full,
    );
    for (const session of sessions) session.close(error);
    if (sessions.length === 0) throw new Error(`${jid.full} has no session`);
    return { closed: sessions.length };
  },
  'module.list': node => node.modules.list(),
  'module.load': async (node, args) => {
    await node.modules.load(args.text('name'));
    return { loaded: args.text('name') };
  },
  'module.unload': async (node, args) => ({
    unloaded: await node.modules.unload(args.text('name'), { cascade: args.flag('cascade') }),
  }),
  'module.reload': async (node, args) => {
    await node.modules.reload(args.text('name'));
    return { reloaded: args.text('name') };
  },
  'config.show': node => node.configuration.describe(),
  'config.reload': node => node.reload(),
  status: node => statusOf(node),
  stop: node => {
    node.shutdown('an operator stopped it', 0);
    return { stopping: true };
  },
};

function exists(jid: Jid): Error {
  return new Error(`${jid.bare} exists already; 'posthouse user passwd ${jid.bare}' sets a new password`);
}

function unknown(jid: Jid): Error {
  return new Error(`there is no account ${jid.bare}; 'posthouse user add ${jid.bare}' makes it`);
}

/** What a client says of itself, and until when it can come back by itself. */
function clientOf(client: ClientView | undefined) {
  return {
    software: client?.software || null,
    device: client?.device || null,
    tokenUntil: client?.tokenUntil === undefined ? null : new Date(client.tokenUntil).toISOString(),
  };
}

/** A client without a session, as a row among sessions. */
function awayOf(account: Jid, client: ClientView) {
  return {
    id: null,
    jid: account.bare,
    transport: null,
    address: null,
    since: new Date(client.lastSeen).toISOString(),
    state: client.tokenUntil === undefined ? 'away' : 'away, has a token',
    available: false,
    priority: 0,
    queued: 0,
    client: client.id,
    ...clientOf(client),
  };
}

function describe(node: Node, jid: Jid, account: { status: string; createdAt: number; lastLogin: number | undefined }) {
  return {
    jid: jid.bare,
    status: account.status,
    created: new Date(account.createdAt).toISOString(),
    lastLogin: account.lastLogin === undefined ? null : new Date(account.lastLogin).toISOString(),
    sessions: node.user(jid)?.sessions.length ?? 0,
  };
}
