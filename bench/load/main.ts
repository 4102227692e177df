/** The load generator's process; `node bench/load/main.ts --help`. Prints JSON lines (events.ts). */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { cpuTime, familyTime } from '../measure/proc.ts';
import { Chat, type End } from './chat.ts';
import { Client, inParallel, logIn, type Mechanism } from './client.ts';
import type { ChatEvent, Command, LoadEvent, LoginsEvent } from './events.ts';
import { help, readOptions, type Options } from './options.ts';
import { reconnects } from './reconnect.ts';
import { gather, RoomTalk } from './room.ts';
import type { Talk } from './talk.ts';
import { Wire } from './wire.ts';

async function openXmpp(options: Options): Promise<End[]> {
  const { address, domain, mechanism, register, manage, accounts } = options;
  const plan = { domain, mechanism, register, manage, resource: 'bench' };
  const clients = await inParallel(options.sessions, options.width, i => logIn(address, accounts[i]!, plan));
  return clients.map((client, i) => ({ wire: client.wire, peer: clients[i ^ 1]?.jid ?? client.jid }));
}

async function openFloor(options: Options): Promise<End[]> {
  return inParallel(options.sessions, 64, async i => {
    const wire = await Wire.open(options.address);
    wire.write(`HELLO pair${i >> 1}\n`);
    if (options.room !== '' || i % 2 === 1) await wire.until(/READY\n/);
    // As long as the address an XMPP client would write.
    return { wire, peer: `${options.accounts[i ^ 1]?.user ?? ''}@${options.domain}/bench` };
  });
}

/** Everybody is in the room, which is one on the XMPP server's rooms domain; the floor has one. */
async function roomOf(ends: readonly End[], { protocol, room }: Options): Promise<Talk> {
  const occupants = ends.map(({ wire }, number) => ({ wire, number }));
  if (protocol === 'floor') return new RoomTalk(occupants, undefined);
  await gather(occupants, room);
  return new RoomTalk(occupants, room);
}

/** A chat with its figures from `begin` to `end`. */
class Measured {
  private readonly chat: Talk;
  private readonly pid: number;
  private readonly databasePid: number;
  private readonly every: number;
  private paced: NodeJS.Timeout | undefined;
  private began = 0;
  private before = { delivered: 0, server: 0, database: 0, load: 0, errors: 0 };

  constructor(chat: Talk, options: Options) {
    this.chat = chat;
    this.pid = options.pid;
    this.databasePid = options.databasePid;
    this.every = options.every;
  }

  async begin(warm: number, window: number, perSecond = 0): Promise<void> {
    const { chat, pid, databasePid, every } = this;
    if (perSecond > 0) this.paced = paced(chat, perSecond);
    else if (every > 0 && chat instanceof Chat) this.paced = setInterval(() => sayAll(chat), every);
    else chat.start(window);
    await sleep(warm * 1000);
    chat.latency.clear();
    this.began = performance.now();
    this.before = {
      delivered: chat.delivered,
      server: pid ? cpuTime(pid) : 0,
      database: databasePid ? familyTime(databasePid) : 0,
      load: cpuTime(process.pid),
      errors: chat.errors,
    };
  }

  async end(): Promise<ChatEvent> {
    const { chat, pid, databasePid, before } = this;
    const delivered = chat.delivered - before.delivered;
    const serverCpu = pid ? cpuTime(pid) - before.server : 0;
    const databaseCpu = databasePid ? familyTime(databasePid) - before.database : 0;
    const loadCpu = cpuTime(process.pid) - before.load;
    const seconds = (performance.now() - this.began) / 1000;
    clearInterval(this.paced);
    await chat.stop();
    return {
      event: 'chat',
      seconds,
      delivered,
      perSecond: Math.round(delivered / seconds),
      serverCpu,
      databaseCpu,
      loadCpu,
      cpuPerMessage: delivered ? ((serverCpu + databaseCpu) * 1000) / delivered : 0,
      // With what came late: a message that was stuck must not be left out.
      latency: chat.latency.summary(),
      errors: chat.errors - before.errors,
      firstError: chat.firstError,
      lost: chat.onTheWay,
    };
  }
}

/** So many messages a second, spread evenly over time and pairs. */
function paced(chat: Talk, perSecond: number): NodeJS.Timeout {
  const began = performance.now();
  let said = 0;
  return setInterval(() => {
    const due = ((performance.now() - began) / 1000) * perSecond;
    for (; said < due; said++) chat.say(said);
  }, 1);
}

let turn = 0;
function sayAll(chat: Chat): void {
  for (let i = 0; i < chat.pairs.length; i++) chat.say(turn++);
}

/** Accounts that have had their turn. */
let taken = 0;

async function logins(options: Options, count: number, mechanism: Mechanism, width: number): Promise<LoginsEvent> {
  const { address, domain, accounts, pid } = options;
  const first = taken;
  taken += count;
  let failed = 0;
  let firstError = '';
  const before = pid ? cpuTime(pid) : 0;
  const began = performance.now();
  await inParallel(count, width, async i => {
    try {
      // Without the keys of an earlier login: the server cannot tell, and the accounts differ from one to the next.
      const client = await Client.open(address, accounts[(first + i) % accounts.length]!, domain);
      await client.authenticate(mechanism);
      await client.bind('login');
      await client.close();
    } catch (error) {
      failed++;
      firstError ||= String(error);
    }
  });
  const seconds = (performance.now() - began) / 1000;
  await sleep(300);
  const cpu = pid ? cpuTime(pid) - before : 0;
  return { event: 'logins', mechanism, count, seconds, cpuPerLogin: cpu / count, failed, firstError };
}

function tell(event: LoadEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return void process.stdout.write(help);
  const began = performance.now();
  const ends = await (options.protocol === 'floor' ? openFloor(options) : openXmpp(options));
  const pairs: [End, End][] = [];
  for (let i = 0; i + 1 < ends.length; i += 2) pairs.push([ends[i]!, ends[i + 1]!]);
  const chat = options.room === '' ? new Chat(pairs, options.receipts) : await roomOf(ends, options);
  const measured = new Measured(chat, options);
  const first = ends[0]?.wire.socket;
  const cipher = first && options.address.tls ? (first as TLSSocket).getCipher().name : '';
  tell({ event: 'open', sessions: ends.length, seconds: (performance.now() - began) / 1000, cipher });
  if (options.control) {
    for await (const line of createInterface({ input: process.stdin })) {
      const command = JSON.parse(line) as Command;
      if (command.do === 'quit') break;
      if (command.do === 'chat') {
        await measured.begin(command.warm ?? 0.5, command.window ?? options.window, command.perSecond);
        await sleep(command.seconds * 1000);
        tell(await measured.end());
      } else if (command.do === 'begin') {
        await measured.begin(command.warm ?? 0.5, options.window);
        tell({ event: 'begun' });
      } else if (command.do === 'end') {
        tell(await measured.end());
      } else if (command.do === 'reconnects') {
        tell(await reconnects(options, command.count, command.rounds, command.width ?? 8));
      } else {
        tell(await logins(options, command.count, command.mechanism, command.width ?? 8));
      }
    }
  } else if (pairs.length > 0) {
    await measured.begin(1, options.window);
    await sleep(options.seconds * 1000);
    tell(await measured.end());
  }
  for (const { wire } of ends) wire.cut();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  tell({ event: 'failed', reason: String(error) });
  process.exit(1);
}
