/**
 * A stanza's way without sockets: bytes of a chat message in at one stream, out at another, in one process. For finding out what
 * a change to the way costs or saves; what counts for users is `npm run bench`.
 *
 *   node bench/way.ts [SESSIONS] [SECONDS] [--archive]      node --cpu-prof bench/way.ts 200 5
 *
 * With --archive each message goes into two archives: SQLite on disk in a temporary folder.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Connection } from '../src/api/index.ts';
import { parseJid } from '../src/jid/index.ts';
import { loadConfig } from '../src/node/config/index.ts';
import { optionsOfModule } from '../src/node/modules/find.ts';
import { Node } from '../src/node/node.ts';
import { ClientStream } from '../src/stream/client-stream.ts';
import { message } from './load/chat.ts';

/** A connection whose kernel takes everything. */
class Open implements Connection {
  readonly transport = 'tcp';
  readonly address = '127.0.0.1';
  readonly secured = true;
  readonly framed = false;
  readonly serverName = undefined;
  readonly backlog = 0;
  written = 0;
  out = '';
  write(wire: string): void {
    this.written += wire.length;
    this.out = this.out === '' ? wire : this.out + wire;
  }
  flush(): void {
    // as a socket does: the text becomes bytes
    sink += scratch.write(this.out, 'latin1');
    this.out = '';
  }
  end(): void {}
  destroy(): void {}
  pause(): void {}
  resume(): void {}
  startTls(): void {}
  channelBinding(): undefined {
    return undefined;
  }
}

const scratch = Buffer.alloc(65_536);
let sink = 0;
const archived = process.argv.includes('--archive');
const [count = 200, seconds = 3] = process.argv.slice(2).flatMap(text => (text.startsWith('--') ? [] : [Number(text)]));
const folder = mkdtempSync(join(tmpdir(), 'posthouse-way-'));
const file = join(import.meta.dirname, archived ? 'conf/archive.yaml' : 'conf/lean.yaml');
const read = () => loadConfig({ file, data: folder, moduleOptions: optionsOfModule });
const node = await Node.start({ config: await read(), reread: read, log: pino({ level: 'silent' }), listen: false });

const jid = (i: number): string => `way${i}@localhost`;
const streams: ClientStream[] = [];
const say = (stream: ClientStream, text: string): void => {
  const bytes = Buffer.from(text);
  stream.onBytes(bytes, 0, bytes.length);
};
const header = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>`;
for (let i = 0; i < count; i++) {
  const account = parseJid(jid(i))!;
  const stream = new ClientStream(new Open(), node.streams);
  say(stream, header);
  // whoever is anonymous has no archive
  if (archived) await node.accounts.adopt(account);
  stream.authenticated(account, !archived, archived ? 'PLAIN' : 'ANONYMOUS');
  stream.restart();
  say(
    stream,
    header + `<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>`,
  );
  while (stream.state !== 'session') await new Promise(resolve => setImmediate(resolve));
  say(stream, '<presence/>');
  streams.push(stream);
}
await new Promise(resolve => setTimeout(resolve, 500));

// each session writes to the next but one of its pair, a hundred of them a tick
const texts = Array.from({ length: count }, (_, i) => {
  const text = message(`${jid(i ^ 1)}/r`, 'm000000000', 'x'.repeat(60));
  return { bytes: Buffer.from(text), ids: [text.indexOf('m000000000'), text.lastIndexOf('m000000000')] };
});
let said = 0;
/** A message of its own, with an id of its own. */
const next = (at: number): Buffer => {
  const { bytes, ids } = texts[at]!;
  const id = `m${(++said).toString(36).padStart(9, '0')}`;
  for (const place of ids) bytes.latin1Write(id, place);
  return bytes;
};
const round = async (until: number): Promise<number> => {
  let done = 0;
  let turn = 0;
  while (performance.now() < until) {
    for (let i = 0; i < 100; i++) {
      const at = turn;
      turn = (turn + 1) % count;
      const bytes = next(at);
      streams[at]!.onBytes(bytes, 0, bytes.length);
    }
    done += 100;
    await new Promise(resolve => setImmediate(resolve));
  }
  return done;
};
await round(performance.now() + 1000);
const costs: number[] = [];
for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
  const before = process.cpuUsage();
  const done = await round(performance.now() + 200);
  const { user, system } = process.cpuUsage(before);
  costs.push(((user + system) * 1000) / done);
}
costs.sort((a, b) => a - b);
console.log(
  `${count} sessions${archived ? ', archived' : ''}: ${costs[0]!.toFixed(0)} ns a message at best, ${costs[costs.length >> 1]!.toFixed(0)} as a rule`,
);
await node.stop('done');
rmSync(folder, { recursive: true, force: true });
if (sink < 0) console.log(sink);
