/**
 * What a message takes in the archive of each database: `node bench/sizes.ts [messages]`. A hundred people talk in pairs that take turns;
 * each message is in both archives, and all are moved to where they stay. Without MariaDB or PostgreSQL, of SQLite alone.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { keyOf } from '../modules/archive/key.ts';
import { ArchiveStore, archiveStore, RECEIVED, SENT, TEXT } from '../modules/archive/store.ts';
import { idMaker } from '../modules/stanza-id/ids.ts';
import { openStorage } from '../src/storage/index.ts';
import { administer, DatabaseServer, type Kind, KINDS, lacksDatabase } from '../test/kit/databases.ts';

const COUNT = Number(process.argv[2] ?? 50_000);
const PEOPLE = 100;
const BODIES = [60, 500];
const IN_FLIGHT = 500;

type Measure = () => Promise<number>;

async function fill(folder: string, url: string, body: number): Promise<{ wire: number; measure: Measure }> {
  const storage = await openStorage({ dataDir: folder, url });
  try {
    await storage.migrate('archive/messages', archiveStore.migrations);
    const store = await ArchiveStore.open(storage);
    const empty = await sizeOf(folder, url);
    const addresses = await Promise.all(
      Array.from({ length: PEOPLE }, async (_, n) => store.addresses.of(`person${n}@montague.example`)),
    );
    const next = idMaker(() => Date.now());
    const text = 'wherefore art thou '.repeat(Math.ceil(body / 19)).slice(0, body);
    let wire = 0;
    for (let sent = 0; sent < COUNT;) {
      const together: Promise<unknown>[] = [];
      for (; together.length < IN_FLIGHT && sent < COUNT; sent++) {
        const one = (sent * 2) % PEOPLE;
        const [from, to] = sent % 3 === 0 ? [one + 1, one] : [one, one + 1];
        const id = next();
        const stanza =
          `<message from='person${from}@montague.example/orchard' to='person${to}@montague.example' type='chat' id='${id}'><body>${text}</body>` +
          `<request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='${id}'/></message>`;
        wire += stanza.length;
        together.push(
          Promise.resolve(
            store.add({
              sender: addresses[from]!,
              recipient: addresses[to]!,
              id,
              key: keyOf(id)!,
              flags: SENT | RECEIVED | TEXT,
              mark: 0,
              stanza,
            }),
          ),
        );
      }
      await Promise.all(together);
    }
    await store.merge();
    return { wire: wire / COUNT, measure: async () => (await sizeOf(folder, url)) - empty };
  } finally {
    await storage.close();
  }
}

/** Octets on disk: of the file, or as the server counts its own. */
async function sizeOf(folder: string, url: string): Promise<number> {
  if (url === '') {
    const file = path.join(folder, 'posthouse.sqlite');
    const database = new Database(file);
    database.pragma('wal_checkpoint(truncate)');
    database.close();
    return statSync(file).size;
  }
  if (url.startsWith('mysql')) {
    const tables = ['archive_messages', 'archive_entries'];
    await administer(url, [`ANALYZE TABLE ${tables.join(', ')}`]);
    const [[[row]]] = (await administer(url, [
      'SELECT SUM(data_length + index_length) AS size FROM information_schema.tables WHERE table_schema = DATABASE()',
    ])) as [[[{ size: string }]]];
    return Number(row.size);
  }
  const [{ rows }] = (await administer(url, ['SELECT pg_database_size(current_database()) AS size'])) as [
    { rows: [{ size: string }] },
  ];
  return Number(rows[0].size);
}

async function line(name: string, database: () => Promise<string>): Promise<void> {
  for (const body of BODIES) {
    const folder = mkdtempSync(path.join(tmpdir(), 'posthouse-sizes-'));
    try {
      const { wire, measure } = await fill(folder, await database(), body);
      const each = (await measure()) / COUNT;
      console.log(
        `${name.padEnd(10)} body of ${String(body).padStart(3)}: ${each.toFixed(0).padStart(5)} bytes a message, of ${wire.toFixed(0)} on the wire`,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

console.log(`${COUNT.toLocaleString('en')} messages, each in two archives`);
await line('SQLite', () => Promise.resolve(''));
const NAMES: Record<Kind, string> = { mysql: 'MariaDB', postgres: 'PostgreSQL' };
for (const kind of KINDS) {
  const lacks = lacksDatabase(kind);
  if (lacks !== undefined) {
    console.log(`${NAMES[kind]}: not measured, ${lacks}`);
    continue;
  }
  const server = await DatabaseServer.start(kind);
  try {
    await line(NAMES[kind], () => server.database());
  } finally {
    await server.stop();
  }
}
