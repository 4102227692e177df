import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { AnyVendor, ApnsVendor, FcmVendor, vendorPem, WebPushVendor } from '../../test/kit/vendors.ts';
import type { Context, Outcome, Row } from '../context.ts';
import type { ChatEvent } from '../load/events.ts';
import { Phones, type Registering } from '../load/phones.ts';
import { cpuTime } from '../measure/proc.ts';
import { type Claim, median, round } from '../result.ts';
import { pairCells, pairColumns } from '../rough/beside.ts';
import { posthouse, setup } from '../targets/posthouse.ts';

const PHONES = 400;
const SESSIONS = 200;
const PAIRS = 10;
/** Greatest ratio of server CPU a message with the module to that without it. */
const LIMIT = 1.03;
/** ms that a message of a pair may wait. */
const NOTICED = 100;

export const pushRow: Row = {
  name: 'push',
  title: 'Phones are woken, and what messages of others feel of it',
  run: push,
};

interface Vendor {
  readonly name: string;
  /** Requests that came so far. */
  readonly server: { came: unknown[]; requests: number; readonly faults: string[]; close(): Promise<void> };
  registering(i: number): Registering;
}

async function vendors(): Promise<{ all: Vendor[]; options: (folder: string) => Promise<object> }> {
  const [web, fcm, apns, any] = [
    await WebPushVendor.open(),
    await FcmVendor.open(),
    await ApnsVendor.open(),
    await AnyVendor.open(),
  ];
  const token = (i: number): string => i.toString(16).padStart(64, '0');
  const all: Vendor[] = [
    {
      name: 'Web Push',
      server: web,
      registering: () => {
        const { endpoint, p256dh, auth } = web.subscribe();
        return { command: 'register-push-web', fields: { endpoint, p256dh, auth } };
      },
    },
    {
      name: 'FCM',
      server: fcm,
      registering: i => ({ command: 'register-push-fcm', fields: { token: `token${i}`, 'android-id': `${i}` } }),
    },
    {
      name: 'APNs',
      server: apns,
      registering: i => ({ command: 'register-push-apns', fields: { token: token(i) } }),
    },
    {
      name: 'a template',
      server: any,
      registering: i => ({ command: 'v1-register-push', fields: { type: 'any', node: `${i}`, token: `token${i}` } }),
    },
  ];
  const options = async (folder: string): Promise<object> => {
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const { key, keyId, teamId, topic, server } = apns.options;
    return {
      ca: file('ca.pem', (await vendorPem()).certificate),
      webPush: { contact: 'mailto:admin@example.org', hosts: ['localhost'] },
      fcm: { account: { file: file('account.json', fcm.account) }, server: fcm.url },
      apns: { key: { file: file('apns.p8', key) }, keyId, teamId, topic, server },
      templates: { any: { url: `${any.url}/send`, body: '{"to":"{token}","n":{count}}' } },
    };
  };
  return { all, options };
}

/** The configuration of the other rows with these options of modules. */
function configuration(folder: string, name: string, modules: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(modules).map(([module, options]) => `  ${module}: ${JSON.stringify(options)}\n`);
  const text = readFileSync(setup.lean, 'utf8').replace('modules:\n', `modules:\n${lines.join('')}`);
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, text);
  return file;
}

/** None where one of both did not start; a note says why. */
function hotPathClaims({ on, off }: Readonly<Record<'on' | 'off', readonly ChatEvent[]>>): Claim[] {
  if (on.length === 0) return [];
  const cpu = (of: readonly ChatEvent[]): number => round(median(of.map(({ cpuPerMessage }) => cpuPerMessage)));
  const ratio = round(median(on.map((at, i) => at.cpuPerMessage / off[i]!.cpuPerMessage)));
  return [
    {
      what: 'Server CPU a message between people who are there, with the module push to without it',
      unit: 'us',
      target: `at most ${LIMIT} times that without it`,
      values: { without: cpu(off), posthouse: cpu(on) },
      ratio,
      met: ratio <= LIMIT,
    },
  ];
}

async function push(context: Context): Promise<Outcome> {
  const cost = await hotPath(context);
  const { rates, quiet, loud, storm } = await waking(context);
  const p99 = (of: readonly ChatEvent[]): number => round(median(of.map(({ latency }) => latency.p99)));
  return {
    claims: [
      ...rates.map(({ name, perSecond }) => ({
        what: `Notifications a second by ${name}`,
        unit: '1/s',
        target: '',
        values: { posthouse: round(median(perSecond)) },
      })),
      ...hotPathClaims(cost),
      { what: 'p99 of a pair, all else silent', unit: 'ms', target: '', values: { posthouse: p99(quiet) } },
      {
        what: 'p99 of a pair while phones are woken without a pause',
        unit: 'ms',
        target: `under ${NOTICED} ms`,
        values: { posthouse: p99(loud) },
        met: p99(loud) < NOTICED,
      },
    ],
    tables: [
      {
        caption: `${PHONES} phones of each vendor, a message to each`,
        columns: ['', 'a second', 'server CPU ms each', 'all rounds, a second'],
        lines: rates.map(({ name, perSecond, cpu: each }) => [
          name,
          round(median(perSecond)),
          round(median(each)),
          perSecond.map(round).join(' / '),
        ]),
      },
      {
        caption: 'Pairs, round by round',
        columns: ['', ...pairColumns],
        lines: quiet.flatMap((silent, i) => [
          [`silent ${i + 1}`, ...pairCells(silent)],
          [`woken ${i + 1}`, ...pairCells(loud[i]!)],
        ]),
      },
    ],
    notes: [
      'The vendors are stand-ins on the load generator’s core, which check what the real ones check: signatures of tokens, the encryption of Web Push. A message is stored (offline) before its notification goes. ' +
        `CPU a message: ${SESSIONS} sessions in a closed loop, in turn on two servers, one of them with \`push: false\`. ` +
        `p99: ${PAIRS} pairs, a message every 20 ms in each; meanwhile the next round of notifications by all vendors begins when the one before has come: ${Math.round(storm).toLocaleString('en')} a second.`,
    ],
  };
}

/** People who are there and chat, beside each other on a server with the module and on one without. */
async function hotPath(context: Context): Promise<{ on: ChatEvent[]; off: ChatEvent[] }> {
  const found = { on: [] as ChatEvent[], off: [] as ChatEvent[] };
  const without = configuration(context.folder, 'without', { push: false });
  const [on, off] = [
    await context.start(posthouse),
    await context.start(posthouse, {
      folder: join(context.folder, 'without'),
      conf: without,
      port: setup.port + 2,
    }),
  ];
  try {
    if (!on || !off) return found;
    const load = { sessions: SESSIONS, register: true };
    const [one, other] = [await context.load(on, load), await context.load(off, load)];
    const [rounds, seconds] = context.quick ? [2, 1] : [7, 2];
    for (const each of [one, other]) await each.chat(0.1, context.quick ? 1 : 3, 1);
    for (let i = 0; i < rounds; i++) {
      found.on.push(await one.chat(seconds, 0.3, 1));
      found.off.push(await other.chat(seconds, 0.3, 1));
    }
    await one.quit();
    await other.quit();
  } finally {
    await on?.stop();
    await off?.stop();
  }
  return found;
}

interface Rate {
  readonly name: string;
  readonly perSecond: number[];
  /** Server CPU of each, in milliseconds. */
  readonly cpu: number[];
}

async function waking(context: Context) {
  const { all, options } = await vendors();
  const conf = configuration(context.folder, 'push', {
    push: { pause: 0 },
    'push-gateway': await options(context.folder),
  });
  const [rounds, seconds] = context.quick ? [2, 2] : [5, 5];
  const count = context.quick ? PHONES / 4 : PHONES;
  const rates: Rate[] = [];
  const quiet: ChatEvent[] = [];
  const loud: ChatEvent[] = [];
  let storm = 0;
  const server = await context.start(posthouse, { folder: join(context.folder, 'push'), conf });
  if (!server) return { rates, quiet, loud, storm };
  const phones: Phones[] = [];
  try {
    const address = { host: '127.0.0.1', port: server.port, tls: false };
    const woken = async (vendor: Vendor, of: Phones): Promise<void> => {
      vendor.server.came.length = 0;
      of.tell();
      for (const end = performance.now() + 60_000; vendor.server.came.length < of.count; await sleep(1))
        if (performance.now() > end)
          throw new Error(
            `${vendor.server.came.length} of ${of.count} by ${vendor.name}: ${vendor.server.faults[0] ?? ''}`,
          );
    };
    for (const [index, vendor] of all.entries()) {
      const of = await Phones.open(address, `phone${'abcd'[index]}`, count, i => vendor.registering(i));
      phones.push(of);
      await woken(vendor, of);
      const rate: Rate = { name: vendor.name, perSecond: [], cpu: [] };
      for (let i = 0; i < rounds; i++) {
        const [before, began] = [cpuTime(server.pid), performance.now()];
        await woken(vendor, of);
        rate.perSecond.push((count * 1000) / (performance.now() - began));
        rate.cpu.push((cpuTime(server.pid) - before) / count);
      }
      rates.push(rate);
    }
    const pairs = await context.load(server, { sessions: PAIRS * 2, prefix: 'pair', register: true, every: 20 });
    // what wakes the phones runs behind the pairs on the core that both have: what they see is the server's
    setPriority(constants.priority.PRIORITY_LOW);
    const measured = async (): Promise<ChatEvent> => {
      await pairs.begin(0.5);
      await sleep(seconds * 1000);
      return pairs.end();
    };
    await measured();
    let [told, time] = [0, 0];
    for (let i = 0; i < (context.quick ? 2 : 3); i++) {
      quiet.push(await measured());
      let going = true;
      const began = performance.now();
      const storming = all.map(async (vendor, index) => {
        for (; going; told += count) await woken(vendor, phones[index]!);
      });
      loud.push(await measured());
      going = false;
      await Promise.all(storming);
      time += (performance.now() - began) / 1000;
    }
    storm = told / time;
    await pairs.quit();
  } finally {
    setPriority(constants.priority.PRIORITY_NORMAL);
    for (const each of phones) each.close();
    await server.stop();
    for (const vendor of all) await vendor.server.close();
  }
  return { rates, quiet, loud, storm };
}
