import type { Context, Outcome, Row } from '../context.ts';
import type { ChatEvent } from '../load/events.ts';
import type { Load } from '../measure/load.ts';
import { median, round } from '../result.ts';
import type { Server } from '../targets/target.ts';
import { chatTable, cpu } from './chat-table.ts';

interface Traffic {
  readonly sessions: number;
  readonly tls: boolean;
  /** Messages on the way in each pair; the run's when absent. */
  readonly window?: number;
  /** Greatest ratio of server CPU a message against the floor. */
  readonly atMost: number;
}

interface Contestant {
  readonly server: Server;
  readonly load: Load;
  readonly rounds: ChatEvent[];
}

export const messageRows: readonly Row[] = [
  row('messages-200', '200 sessions, plain TCP', { sessions: 200, tls: false, atMost: 1.5 }),
  row('messages-2000', '2,000 sessions, plain TCP', { sessions: 2000, tls: false, atMost: 1.5 }),
  row('messages-tls', '200 sessions, direct TLS 1.3', { sessions: 200, tls: true, atMost: 1.4 }),
  row('messages-busy', '200 sessions, 8 messages on the way in each pair', {
    sessions: 200,
    tls: false,
    window: 8,
    atMost: 1.5,
  }),
];

function row(name: string, title: string, traffic: Traffic): Row {
  return { name, title: `Messages: ${title}`, run: context => messages(context, traffic) };
}

/** All programs stand with their sessions open; then each chats in turn, round after round. */
async function messages(context: Context, traffic: Traffic): Promise<Outcome> {
  const { sessions, tls, atMost } = traffic;
  const window = traffic.window ?? context.window;
  const contestants = await contest(context, traffic, window);
  const rounds = context.quick ? 2 : 3;
  const seconds = context.quick ? 1 : 2;
  // Compilers warm up and the window settles before anything counts.
  for (const { load } of contestants) await load.chat(0.1, context.quick ? 1 : 2, window);
  for (let i = 0; i < rounds; i++) {
    for (const { load, rounds: done } of contestants) done.push(await load.chat(seconds, 0.3, window));
  }
  const cipher = contestants[0]?.load.open.cipher;
  for (const { load, server } of contestants) {
    await load.quit();
    await server.stop();
  }
  const named = (name: string): Contestant | undefined => contestants.find(({ server }) => server.target.name === name);
  const [ours, floor] = [named('posthouse'), named('floor')];
  const ratio =
    ours && floor ? median(ours.rounds.map((at, i) => at.cpuPerMessage / floor.rounds[i]!.cpuPerMessage)) : undefined;
  return {
    claims: [
      {
        what: `Server CPU a delivered message, ${sessions.toLocaleString('en')} sessions${tls ? ', TLS 1.3' : ''}${traffic.window ? ', busy' : ''}`,
        unit: 'us',
        target: `at most ${atMost} times the floor's`,
        values: Object.fromEntries(contestants.map(({ server, rounds: all }) => [server.target.name, cpu(all)])),
        ratio: ratio && round(ratio),
        met: ratio === undefined ? undefined : ratio <= atMost,
      },
    ],
    tables: [
      chatTable(
        contestants.map(({ server, rounds: all }) => ({ name: server.target.name, rounds: all })),
        seconds,
      ),
    ],
    notes: [
      `${sessions / 2} pairs in a closed loop, ${window} message${window > 1 ? 's' : ''} on the way in each pair: who gets one answers it with one. ` +
        `60-byte bodies with receipt request and origin-id, full JID to full JID, both available.${cipher ? ` ${cipher}.` : ''}`,
    ],
  };
}

async function contest(context: Context, { sessions, tls }: Traffic, window: number): Promise<Contestant[]> {
  const servers = [await context.startFloor(tls)];
  for (const target of context.servers) servers.push(await context.start(target));
  const contestants: Contestant[] = [];
  for (const server of servers) {
    if (!server) continue;
    try {
      await context.accounts(server, sessions);
      contestants.push({ server, load: await context.load(server, { sessions, tls, window }), rounds: [] });
    } catch (error) {
      context.note(`${server.target.name} was not measured: ${(error as Error).message}`);
      await server.stop();
    }
  }
  return contestants;
}
