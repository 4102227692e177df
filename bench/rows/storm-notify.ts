import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { Tunes } from '../load/contacts.ts';
import type { ChatEvent } from '../load/events.ts';
import { median, round } from '../result.ts';
import { pairCells, pairColumns } from '../rough/beside.ts';
import { posthouse } from '../targets/posthouse.ts';

const OCCUPANTS = 2000;
const CONTACTS = 500;
const PAIRS = 10;
/** ms that a message of a pair may wait. */
const NOTICED = 100;

export const stormNotifyRow: Row = {
  name: 'storm-notify',
  title: 'A storm of notifications, beside pairs that chat',
  run: storm,
};

/** Pairs chat, in turn beside a room and a node that are silent, and beside a room in which somebody speaks all the time and a node that is published to all the time. */
async function storm(context: Context): Promise<Outcome> {
  const occupants = context.quick ? OCCUPANTS / 10 : OCCUPANTS;
  const contacts = context.quick ? CONTACTS / 10 : CONTACTS;
  const [rounds, seconds] = context.quick ? [2, 2] : [3, 5];
  const server = await context.start(posthouse);
  if (!server) return { claims: [], tables: [], notes: [] };
  const quiet: ChatEvent[] = [];
  const loud: ChatEvent[] = [];
  const said: ChatEvent[] = [];
  let told = 0;
  try {
    await context.accounts(server, occupants);
    const pairs = await context.load(server, { sessions: PAIRS * 2, prefix: 'pair', register: true, every: 20 });
    // what makes the storm runs behind the pairs on the core that both have: what they see is the server's
    setPriority(constants.priority.PRIORITY_LOW);
    const room = await context.load(server, { sessions: occupants, room: `storm@conference.localhost` });
    const tunes = await Tunes.open({ host: '127.0.0.1', port: server.port, tls: false }, contacts, 'storm');
    const measured = async (): Promise<ChatEvent> => {
      await pairs.begin(0.5);
      await sleep(seconds * 1000);
      return pairs.end();
    };
    await measured();
    for (let i = 0; i < rounds; i++) {
      quiet.push(await measured());
      await room.begin(0.5);
      const before = tunes.told;
      let going = true;
      const publishing = (async () => {
        while (going) await tunes.publish();
      })();
      loud.push(await measured());
      going = false;
      await publishing;
      told += tunes.told - before;
      said.push(await room.end());
    }
    await room.quit();
    tunes.close();
    await pairs.quit();
  } finally {
    await server.stop();
  }
  const p99 = (of: readonly ChatEvent[]): number => round(median(of.map(({ latency }) => latency.p99)));
  const spoken = said.reduce((sum, { delivered }) => sum + delivered, 0);
  const time = said.reduce((sum, at) => sum + at.seconds, 0);
  return {
    claims: [
      { what: 'p99 of a pair, all else silent', unit: 'ms', target: '', values: { posthouse: p99(quiet) } },
      {
        what: `p99 of a pair beside a room of ${occupants.toLocaleString('en')} and a node of ${contacts} contacts that are never silent`,
        unit: 'ms',
        target: `under ${NOTICED} ms`,
        values: { posthouse: p99(loud) },
        met: p99(loud) < NOTICED,
      },
    ],
    tables: [
      {
        caption: 'Round by round',
        columns: ['', ...pairColumns],
        lines: quiet.flatMap((silent, i) => [
          [`silent ${i + 1}`, ...pairCells(silent)],
          [`storm ${i + 1}`, ...pairCells(loud[i]!)],
        ]),
      },
    ],
    notes: [
      `${PAIRS} pairs, a message every 20 ms in each, sent whether or not the last one came. The storm: who is next in the room speaks as soon as it has heard the one before, and the next item is published as soon as all were told of the last one: ` +
        `${Math.round(spoken / time).toLocaleString('en')} messages of the room and ${Math.round(told / time).toLocaleString('en')} notifications a second were delivered.`,
    ],
  };
}
