import type { Context, Outcome, Row } from '../context.ts';
import type { ChatEvent } from '../load/events.ts';
import type { Load } from '../measure/load.ts';
import { median, round } from '../result.ts';
import { roomFloor } from '../targets/floor.ts';
import { posthouse } from '../targets/posthouse.ts';
import type { Server } from '../targets/target.ts';
import { chatTable, cpu } from './chat-table.ts';

const LIMIT = 2;

interface Contestant {
  readonly name: string;
  readonly server: Server;
  readonly load: Load;
  readonly rounds: ChatEvent[];
}

export const roomRows: readonly Row[] = [
  row('room-200', 'A room of 200', 200, false),
  row('room-2000', 'A room of 2,000', 2000, false),
  row('room-archived', 'A room of 200, with its archive', 200, true),
];

function row(name: string, title: string, occupants: number, archived: boolean): Row {
  return { name, title, run: context => inRoom(context, title, occupants, archived) };
}

/** Everybody is in one room; then one speaks after the other, in each program in turn. */
async function inRoom(context: Context, title: string, occupants: number, archived: boolean): Promise<Outcome> {
  const contestants: Contestant[] = [];
  for (const [name, server] of [
    ['floor', await context.start(roomFloor())],
    ['posthouse', await context.start(posthouse, { archived })],
  ] as const) {
    if (!server) continue;
    try {
      await context.accounts(server, occupants, archived ? 'archived' : 'lean');
      const room = `bench${occupants}@conference.localhost`;
      contestants.push({ name, server, load: await context.load(server, { sessions: occupants, room }), rounds: [] });
    } catch (error) {
      context.note(`${name} was not measured: ${(error as Error).message}`);
      await server.stop();
    }
  }
  const [count, seconds] = context.quick ? [2, 1] : [3, 2];
  try {
    for (const { load } of contestants) await load.chat(0.1, context.quick ? 1 : 3, 1);
    for (let i = 0; i < count; i++) {
      for (const { load, rounds } of contestants) rounds.push(await load.chat(seconds, 0.3, 1));
    }
  } finally {
    for (const { load, server } of contestants) {
      await load.quit();
      await server.stop();
    }
  }
  const [floor, ours] = contestants;
  if (!floor || !ours) return { claims: [], tables: [], notes: [] };
  const ratio = median(ours.rounds.map((at, i) => at.cpuPerMessage / floor.rounds[i]!.cpuPerMessage));
  return {
    claims: [
      {
        what: `Server CPU a delivery: ${title.toLowerCase()}`,
        unit: 'us',
        target: `at most ${LIMIT} times the floor's`,
        values: { floor: cpu(floor.rounds), posthouse: cpu(ours.rounds) },
        ratio: round(ratio),
        met: ratio <= LIMIT,
      },
    ],
    tables: [chatTable(contestants, seconds)],
    notes: [
      'Everybody is in one room and hears what is said; who is next speaks when it has heard the one before, so one message is on the way at any time. 60-byte bodies with an origin-id; ' +
        'the floor (bench/room-floor.ts) is a Node server that writes what one connection says to all, as many bytes as a message of a room has with what a server adds.',
    ],
  };
}
