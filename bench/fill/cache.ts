import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Load } from '../measure/load.ts';
import { posthouse } from '../targets/posthouse.ts';
import { fill, type Filled, filling, isSame } from './archive.ts';

/** Filled data folders, kept from run to run; git ignores it. */
const CACHE = join(import.meta.dirname, '../.cache');

export interface Archive {
  /** Of the server: it has the accounts, and their archives. */
  readonly folder: string;
  /** The database. */
  readonly file: string;
  readonly filled: Filled;
}

/** A data folder with so many accounts bench0 ..., and so many messages in their archives; made if it is not there yet. */
export async function filledArchive(
  name: string,
  accounts: number,
  messages: number,
  pairs: Filled['pairs'],
): Promise<Archive> {
  const folder = join(CACHE, `${name}-${messages}`);
  const file = join(folder, 'data/posthouse.sqlite');
  const note = join(folder, 'filled.json');
  const wanted = filling(messages, pairs);
  if (existsSync(note)) {
    const filled = JSON.parse(readFileSync(note, 'utf8')) as Filled;
    if (isSame(filled, wanted)) return { folder, file, filled };
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  console.error(`  ${folder} is filled with ${messages.toLocaleString('en')} messages, once ...`);
  const server = await posthouse.start({ folder, archived: true });
  try {
    const load = await Load.start({ port: server.port, sessions: accounts, register: true, width: 8 });
    await load.quit();
  } finally {
    await server.stop();
  }
  const began = performance.now();
  let told = 0;
  fill(file, 'localhost', wanted, share => {
    if (share - told < 0.1 && share < 1) return;
    told = share;
    const seconds = Math.round((performance.now() - began) / 1000);
    console.error(`  ${Math.round(share * 100)} %, ${seconds} s, ${Math.round(statSync(file).size / 2 ** 20)} MB`);
  });
  writeFileSync(note, JSON.stringify(wanted));
  return { folder, file, filled: wanted };
}
