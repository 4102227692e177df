import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Account, Mechanism } from './client.ts';
import type { Address } from './wire.ts';

export interface Options {
  readonly address: Address;
  readonly protocol: 'xmpp' | 'floor';
  readonly domain: string;
  readonly sessions: number;
  readonly window: number;
  readonly mechanism: Mechanism;
  readonly register: boolean;
  readonly manage: boolean;
  readonly receipts: boolean;
  readonly every: number;
  /** A room's JID: all sessions enter it, and talk there. '': they chat in pairs. */
  readonly room: string;
  readonly width: number;
  readonly accounts: readonly Account[];
  readonly pid: number;
  readonly databasePid: number;
  readonly seconds: number;
  readonly control: boolean;
}

export const help = `Load generator: pairs of sessions that chat in a closed loop.

  node bench/load/main.ts --port 25222 --sessions 200 --register

  --host H          server's address (127.0.0.1)         --from A       come from this address
  --port N          server's port (25222)                --tls          direct TLS 1.3
  --protocol P      xmpp, or floor for bench/floor.ts    --domain D     XMPP domain (localhost)
  --sessions N      sessions, an even number (200)       --window N     messages on the way in each pair (2)
  --every MS        instead of the closed loop: each pair sends a message every so many milliseconds
  --mechanism M     PLAIN, SCRAM-SHA-1, SCRAM-SHA-256, SCRAM-SHA-512 (PLAIN)
  --register        make the accounts first by XEP-0077  --users FILE   lines of "user password" instead of made ones
  --prefix P        made accounts are P0, P1, ... (bench) --accounts N   how many there are (as sessions)
  --room JID        instead of pairs: all enter this room and talk one after the other; the window is the room's
  --sm              enable XEP-0198                      --receipts     answer XEP-0184 requests
  --width N         logins at the same time (16)         --seconds N    length of the chat (5)
  --pid PID         report the CPU of this server process --database-pid PID  and of its database
  --control         take commands as JSON lines on standard input: {"do":"chat","seconds":5,"warm":1},
                    {"do":"logins","count":100,"mechanism":"PLAIN"},
                    {"do":"reconnects","count":100,"rounds":4} (by token, resumed), {"do":"quit"}
`;

export function readOptions(args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean' },
      host: { type: 'string', default: '127.0.0.1' },
      from: { type: 'string' },
      port: { type: 'string', default: '25222' },
      tls: { type: 'boolean', default: false },
      protocol: { type: 'string', default: 'xmpp' },
      domain: { type: 'string', default: 'localhost' },
      sessions: { type: 'string', default: '200' },
      window: { type: 'string', default: '2' },
      every: { type: 'string', default: '0' },
      mechanism: { type: 'string', default: 'PLAIN' },
      register: { type: 'boolean', default: false },
      users: { type: 'string' },
      prefix: { type: 'string', default: 'bench' },
      accounts: { type: 'string', default: '0' },
      sm: { type: 'boolean', default: false },
      receipts: { type: 'boolean', default: false },
      room: { type: 'string', default: '' },
      width: { type: 'string', default: '16' },
      seconds: { type: 'string', default: '5' },
      pid: { type: 'string', default: '0' },
      'database-pid': { type: 'string', default: '0' },
      control: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const sessions = Number(values.sessions);
  const accounts = values.users
    ? accountsFrom(values.users)
    : madeAccounts(values.prefix, Math.max(sessions, Number(values.accounts)));
  if (accounts.length < sessions)
    throw new Error(`${values.users} has ${accounts.length} users, ${sessions} are needed`);
  return {
    address: { host: values.host, port: Number(values.port), tls: values.tls, from: values.from },
    protocol: values.protocol === 'floor' ? 'floor' : 'xmpp',
    domain: values.domain,
    sessions,
    window: Number(values.window),
    every: Number(values.every),
    mechanism: values.mechanism as Mechanism,
    register: values.register,
    manage: values.sm,
    receipts: values.receipts,
    room: values.room,
    width: Number(values.width),
    accounts,
    pid: Number(values.pid),
    databasePid: Number(values['database-pid']),
    seconds: Number(values.seconds),
    control: values.control,
  };
}

export function madeAccounts(prefix: string, count: number): Account[] {
  return Array.from({ length: count }, (_, i) => ({
    user: `${prefix}${i}`,
    password: `secret-${prefix}${i}`,
    keys: new Map(),
  }));
}

function accountsFrom(file: string): Account[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap(line => {
    const [user, password] = line.trim().split(/\s+/);
    return user && password ? [{ user, password, keys: new Map() }] : [];
  });
}
