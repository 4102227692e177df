import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { Tunes } from '../load/contacts.ts';
import { cpuTime } from '../measure/proc.ts';
import { median, round } from '../result.ts';
import { roomFloor } from '../targets/floor.ts';
import { posthouse } from '../targets/posthouse.ts';
import { writing } from './room-life.ts';

const CONTACTS = 500;
/** What <message></message> has around its content. */
const AROUND = '<message></message>'.length;

export const pepRow: Row = {
  name: 'pep-publish',
  title: 'A publish to 500 interested contacts (PEP)',
  run: publishing,
};

/** One item after the other: the next when all contacts have been told of the one before. */
async function publishing(context: Context): Promise<Outcome> {
  const [rounds, publishes] = context.quick ? [2, 30] : [5, 100];
  const server = await context.start(posthouse);
  const floor = await context.start(roomFloor());
  try {
    if (!server || !floor) return { claims: [], tables: [], notes: [] };
    const tunes = await Tunes.open({ host: '127.0.0.1', port: server.port, tls: false }, CONTACTS, 'tunes');
    const publish = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) await tunes.publish();
    };
    await publish(publishes);
    await sleep(500);
    const figures: { ours: number; raw: number; took: number; each: number }[] = [];
    for (let i = 0; i < rounds; i++) {
      const { told, characters } = tunes;
      const before = cpuTime(server.pid);
      const began = performance.now();
      await publish(publishes);
      const took = (performance.now() - began) / publishes;
      const cpu = (cpuTime(server.pid) - before) / publishes;
      const length = (tunes.characters - characters) / (tunes.told - told);
      const raw = await writing(floor, CONTACTS, Math.round(length) - AROUND);
      figures.push({ ours: (cpu * 1000) / CONTACTS, raw, took, each: length });
    }
    tunes.close();
    const middle = (of: (figure: (typeof figures)[number]) => number): number => round(median(figures.map(of)));
    return {
      claims: [
        {
          what: `Server CPU a notification: ${CONTACTS} interested contacts`,
          unit: 'us',
          target: '',
          values: { floor: middle(({ raw }) => raw), posthouse: middle(({ ours }) => ours) },
          ratio: middle(({ ours, raw }) => ours / raw),
        },
      ],
      tables: [
        {
          caption: `${publishes} publishes, one after the other`,
          columns: ['', 'CPU ms each', 'ms until all are told', 'characters a notification'],
          lines: [
            [
              'posthouse',
              middle(({ ours }) => (ours * CONTACTS) / 1000),
              middle(({ took }) => took),
              middle(({ each }) => each),
            ],
          ],
        },
      ],
      notes: [
        'The contacts show in their capabilities (XEP-0115) that they want the node, and see the presence of who publishes. The item replaces the one before and is stored before anybody is told. ' +
          'The floor writes messages of the same length, one at a time, to as many sockets (bench/room-floor.ts).',
      ],
    };
  } finally {
    await floor?.stop();
    await server?.stop();
  }
}
