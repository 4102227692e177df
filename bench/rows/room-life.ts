import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { type Client, inParallel, logIn } from '../load/client.ts';
import { madeAccounts } from '../load/options.ts';
import { enter, gather, type Occupant, unlock } from '../load/room.ts';
import { Wire } from '../load/wire.ts';
import { cpuTime } from '../measure/proc.ts';
import { round } from '../result.ts';
import { roomFloor } from '../targets/floor.ts';
import { posthouse } from '../targets/posthouse.ts';
import type { Server } from '../targets/target.ts';

const OCCUPANTS = 1000;
const NEWCOMERS = 50;
const ROOMS = 5000;
/** Characters of a presence that is told in a room. */
const PRESENCE = 300;
const NOTHING: Outcome = { claims: [], tables: [], notes: [] };

export const roomLifeRows: readonly Row[] = [
  { name: 'room-join', title: 'Entering a room of 1,000', run: joining },
  { name: 'room-wake', title: '5,000 rooms wake', run: waking },
];

async function clientsOf(server: Server, count: number, first = 0): Promise<Client[]> {
  const address = { host: '127.0.0.1', port: server.port, tls: false };
  const plan = { domain: 'localhost', mechanism: 'PLAIN', resource: 'bench', register: false, manage: false } as const;
  const accounts = madeAccounts('bench', first + count).slice(first);
  return inParallel(count, 16, i => logIn(address, accounts[i]!, plan));
}

const occupantsOf = (clients: readonly Client[], first = 0): Occupant[] =>
  clients.map(({ wire }, i) => ({ wire, number: first + i }));

/** Reads, and keeps nothing. */
function drain({ wire }: { wire: Wire }): void {
  wire.readBy(() => undefined);
}

async function joining(context: Context): Promise<Outcome> {
  const occupants = context.quick ? OCCUPANTS / 5 : OCCUPANTS;
  const server = await context.start(posthouse);
  const floor = await context.start(roomFloor());
  if (!server || !floor) return NOTHING;
  try {
    await context.accounts(server, occupants + NEWCOMERS);
    const there = await clientsOf(server, occupants);
    const room = 'crowd@conference.localhost';
    await gather(occupantsOf(there), room);
    for (const client of there) drain(client);
    const newcomers = await clientsOf(server, NEWCOMERS, occupants);
    await sleep(500);
    const before = cpuTime(server.pid);
    const began = performance.now();
    for (const newcomer of occupantsOf(newcomers, occupants)) {
      await enter(newcomer, room);
      drain(newcomer);
    }
    const took = (performance.now() - began) / NEWCOMERS;
    await sleep(500);
    const cpu = (cpuTime(server.pid) - before) / NEWCOMERS;
    for (const { wire } of [...there, ...newcomers]) wire.cut();
    // each tells all who are there, and is told of them
    const presences = 2 * (occupants + (NEWCOMERS - 1) / 2) + 1;
    const raw = await writing(floor, occupants, PRESENCE);
    const ratio = (cpu * 1000) / presences / raw;
    return {
      claims: [
        {
          what: `Server CPU a presence, entering a room of ${occupants.toLocaleString('en')}`,
          unit: 'us',
          target: '',
          values: { floor: round(raw), posthouse: round((cpu * 1000) / presences) },
          ratio: round(ratio),
        },
      ],
      tables: [
        {
          caption: `${NEWCOMERS} enter, one after the other`,
          columns: ['', 'CPU ms each', 'ms until it is in'],
          lines: [['posthouse', round(cpu), round(took)]],
        },
      ],
      notes: [
        'Who enters is told of each who is there, and each of them of it. The floor writes messages of the same length, one at a time, to as many sockets (bench/room-floor.ts).',
      ],
    };
  } finally {
    await floor.stop();
    await server.stop();
  }
}

/** Microseconds of CPU in which the floor writes a message with so many characters within it to one of so many. */
export async function writing(floor: Server, sockets: number, characters: number): Promise<number> {
  const wires = await inParallel(sockets, 64, async () => {
    const wire = await Wire.open({ host: '127.0.0.1', port: floor.port, tls: false });
    wire.write('HELLO\n');
    await wire.until(/READY\n/);
    return wire;
  });
  const [first, ...others] = wires;
  for (const wire of others) drain({ wire });
  const message = `<message>${'p'.repeat(characters)}</message>`;
  const say = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      first!.write(message);
      await first!.until(/<\/message>/);
    }
  };
  await say(100);
  const before = cpuTime(floor.pid);
  await say(100);
  await sleep(200);
  const cpu = cpuTime(floor.pid) - before;
  for (const wire of wires) wire.cut();
  return (cpu * 1000) / (100 * sockets);
}

async function waking(context: Context): Promise<Outcome> {
  const rooms = context.quick ? ROOMS / 10 : ROOMS;
  const nameOf = (i: number): string => `asleep${i}@conference.localhost`;
  const folder = `${context.folder}/asleep`;
  const first = await context.start(posthouse, { folder });
  if (!first) return NOTHING;
  const makers = 50;
  await context.accounts(first, makers, 'asleep');
  try {
    const clients = occupantsOf(await clientsOf(first, makers));
    await inParallel(makers, makers, async k => {
      const maker = clients[k]!;
      for (let i = k; i < rooms; i += makers) {
        await enter(maker, nameOf(i));
        await unlock(maker, nameOf(i), true);
        maker.wire.write(`<presence to='${nameOf(i)}/n${maker.number}' type='unavailable'/>`);
      }
    });
    for (const { wire } of clients) wire.cut();
  } finally {
    await first.stop();
  }
  const server = await context.start(posthouse, { folder });
  if (!server) return NOTHING;
  try {
    const clients = occupantsOf(await clientsOf(server, makers));
    await sleep(500);
    const before = cpuTime(server.pid);
    const began = performance.now();
    await inParallel(makers, makers, async k => {
      for (let i = k; i < rooms; i += makers) await enter(clients[k]!, nameOf(i));
    });
    const seconds = (performance.now() - began) / 1000;
    const cpu = (cpuTime(server.pid) - before) / rooms;
    for (const { wire } of clients) wire.cut();
    return {
      claims: [
        {
          what: 'Server CPU of a room that wakes since somebody enters it',
          unit: 'ms',
          target: '',
          values: { posthouse: round(cpu) },
        },
      ],
      tables: [
        {
          caption: `${rooms.toLocaleString('en')} rooms, each with an owner who enters it; ${makers} at a time`,
          columns: ['', 'CPU ms each', 'seconds for all'],
          lines: [['posthouse', round(cpu), round(seconds)]],
        },
      ],
      notes: ['They were made before, and the server was started anew: nothing of them was in memory.'],
    };
  } finally {
    await server.stop();
  }
}
