import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Outcome, Row } from '../context.ts';
import { message } from '../load/chat.ts';
import { Client, inParallel, logIn, type LoginPlan } from '../load/client.ts';
import { madeAccounts } from '../load/options.ts';
import type { Address } from '../load/wire.ts';
import { round } from '../result.ts';
import type { Server } from '../targets/target.ts';
import { beside, onEach, pairCells, pairClaim, pairColumns } from './beside.ts';

const WRITERS = 20;
const BODY = 'x'.repeat(2000);
/** A reader that is gone stays gone this long before it comes back, in milliseconds. */
const PAUSE = 3000;

export const frozenRow: Row = { name: 'frozen', title: 'Rough: a frozen reader, 20 others write to it', run: frozen };

interface Frozen {
  readonly sent: number;
  /** Different messages that the reader got in the end. */
  readonly received: number;
  readonly twice: number;
  /** Messages that came after a later one of the same writer. */
  readonly disordered: number;
  /** Answered to their writers with an error: not delivered, but not lost silently either. */
  readonly refused: number;
  readonly reconnects: number;
  /** Seconds from coming back to the last message. */
  readonly back: number;
}

async function frozen(context: Context): Promise<Outcome> {
  const each = context.quick ? 150 : 450;
  const results = await onEach(context, false, server => beside(context, server, () => freeze(server, each)));
  const lost = results.map(
    ({ name, result: { result } }) => [name, Math.max(0, result.sent - result.received - result.refused)] as const,
  );
  const ours = results.find(({ name }) => name === 'posthouse')?.result;
  return {
    claims: [
      {
        what: `Messages lost of ${each * WRITERS} to a frozen reader`,
        unit: 'messages',
        target: 'none',
        values: Object.fromEntries(lost),
        met: ours && ours.result.sent === ours.result.received && ours.result.twice === 0,
      },
      {
        what: 'Memory growth meanwhile',
        unit: 'MB',
        target: 'bounded: under 64 MB',
        values: Object.fromEntries(results.map(({ name, result }) => [name, round(result.growth)])),
        met: ours && ours.growth < 64,
      },
      pairClaim(results, 'a frozen reader'),
    ],
    tables: [
      {
        caption: `${WRITERS} writers, ${each} messages each with a body of ${BODY.length} bytes`,
        columns: [
          '',
          'sent',
          'received',
          'twice',
          'out of order',
          'refused',
          'reconnects',
          's to get all',
          'growth MB',
          ...pairColumns,
        ],
        lines: results.map(({ name, result: { result, growth, pair } }) => [
          name,
          result.sent,
          result.received,
          result.twice,
          result.disordered,
          result.refused,
          result.reconnects,
          round(result.back),
          round(growth),
          ...pairCells(pair),
        ]),
      },
    ],
    notes: [
      'The reader has XEP-0198 with resumption, stops reading its socket while the others write to its bare JID, and reads again ' +
        `${PAUSE / 1000} s after the server has taken all. Cut off meanwhile, it reconnects, resumes or else logs in again.`,
    ],
  };
}

async function freeze(server: Server, each: number): Promise<Frozen> {
  const address = { host: '127.0.0.1', port: server.port, tls: false };
  const plan = { domain: 'localhost', mechanism: 'PLAIN', resource: 'rough', register: true, manage: false } as const;
  const reader = new Reader(address, { ...plan, manage: true });
  await reader.logIn();
  const accounts = madeAccounts('writer', WRITERS);
  const writers = await inParallel(WRITERS, 5, i => logIn(address, accounts[i]!, plan));
  reader.freeze();
  const refused = await Promise.all(writers.map((writer, i) => writeAll(writer, i, each)));
  await sleep(PAUSE);
  const began = performance.now();
  await reader.comeBack(each * WRITERS);
  for (const { wire } of writers) wire.cut();
  reader.cut();
  return {
    sent: each * WRITERS,
    received: reader.seen.size,
    twice: reader.twice,
    disordered: reader.disordered,
    refused: refused.reduce((all, count) => all + count(), 0),
    reconnects: reader.reconnects,
    back: (reader.lastAt - began) / 1000,
  };
}

/** Writes as the server takes, and resolves when it has taken all: its pong comes after them. Returns how many were refused. */
async function writeAll(client: Client, writer: number, count: number): Promise<() => number> {
  const { wire } = client;
  let refused = 0;
  let rest = '';
  const pong = new Promise<void>(resolve => {
    wire.readBy(chunk => {
      const text = rest + chunk;
      const whole = text.lastIndexOf('>') + 1;
      for (const [tag] of text.slice(0, whole).matchAll(/<(?:message|iq)\b[^>]*>/g)) {
        if (tag.startsWith('<iq')) resolve();
        else if (/type=['"]error['"]/.test(tag)) refused++;
      }
      rest = text.slice(whole);
    });
  });
  for (let i = 0; i < count; i++) {
    const more = wire.write(message('frozen0@localhost', `w${writer}-${i}`, BODY));
    if (!more) await Promise.race([once(wire.socket, 'drain'), sleep(10_000)]);
  }
  wire.write(`<iq type='get' to='localhost' id='done'><ping xmlns='urn:xmpp:ping'/></iq>`);
  await Promise.race([pong, sleep(20_000)]);
  return () => refused;
}

/** The reader, through all its connections. */
class Reader {
  readonly seen = new Set<string>();
  twice = 0;
  disordered = 0;
  reconnects = 0;
  lastAt = 0;
  private readonly address: Address;
  private readonly plan: LoginPlan;
  private readonly account = madeAccounts('frozen', 1)[0]!;
  private readonly newest = new Map<string, number>();
  private client: Client | undefined;
  private resumption = '';
  /** Stanzas of this stream-managed session so far: XEP-0198 4. */
  private handled = 0;
  private rest = '';

  constructor(address: Address, plan: LoginPlan) {
    this.address = address;
    this.plan = plan;
  }

  async logIn(): Promise<void> {
    this.client = await logIn(this.address, this.account, this.plan);
    this.resumption = this.client.resumption;
    this.handled = 0;
    this.listen();
  }

  freeze(): void {
    this.client?.wire.socket.pause();
  }

  cut(): void {
    this.client?.wire.cut();
  }

  /** Reads until all have come, or nothing came for 4 seconds, also on a new connection. */
  async comeBack(wanted: number): Promise<void> {
    this.lastAt = performance.now();
    this.client?.wire.socket.resume();
    while (this.seen.size < wanted) {
      await sleep(50);
      if (this.client?.wire.closed && this.reconnects < 10) await this.reconnect();
      if (performance.now() - this.lastAt > 4000) {
        // A quiet stream that says nothing may be dead: one more look on a new one.
        if (this.reconnects > 0) return;
        this.client?.wire.cut();
        await this.reconnect();
      }
    }
  }

  private async reconnect(): Promise<void> {
    this.reconnects++;
    this.rest = '';
    const client = await Client.open(this.address, this.account, this.plan.domain);
    await client.authenticate(this.plan.mechanism);
    if (this.resumption && (await client.resume(this.resumption, this.handled))) {
      this.client = client;
    } else {
      await client.bind(this.plan.resource);
      await client.manage();
      client.available();
      this.client = client;
      this.resumption = client.resumption;
      this.handled = 0;
    }
    this.lastAt = performance.now();
    this.listen();
  }

  private listen(): void {
    const { wire } = this.client!;
    wire.readBy(chunk => {
      const text = this.rest + chunk;
      // Whole elements at the top of the stream, none of which holds another of its name here.
      const whole = /<(message|presence|iq)\b[^>]*?(?:\/>|>.*?<\/\1>)|<r xmlns=['"]urn:xmpp:sm:3['"]\s*\/>/gs;
      let end = 0;
      for (let match = whole.exec(text); match; match = whole.exec(text)) {
        end = whole.lastIndex;
        if (match[1] === undefined) {
          wire.write(`<a xmlns='urn:xmpp:sm:3' h='${this.handled}'/>`);
        } else {
          this.handled++;
          if (match[1] === 'message') this.take(match[0]);
        }
      }
      this.rest = text.slice(end);
    });
  }

  private take(stanza: string): void {
    const id = /\bid=['"](w(\d+)-(\d+))['"]/.exec(stanza);
    if (!id) return;
    this.lastAt = performance.now();
    if (this.seen.has(id[1]!)) {
      this.twice++;
      return;
    }
    this.seen.add(id[1]!);
    const newest = this.newest.get(id[2]!) ?? -1;
    if (Number(id[3]) < newest) this.disordered++;
    else this.newest.set(id[2]!, Number(id[3]));
  }
}
