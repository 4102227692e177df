import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { LoadedConfig } from '../../node/config/index.ts';
import type { Add } from './finding.ts';

const MIB = 1024 ** 2;
/** Free bytes below which a node would soon refuse to store, and below which an operator should know. */
const NEEDED = 100 * MIB;
const COMFORTABLE = 2048 * MIB;

/** Whether the data folder can be used, and how much may be written there. */
export function checkFolder(config: LoadedConfig, add: Add): void {
  const { folder } = config.values.core.storage;
  const about = 'data folder';
  // the nearest that is there
  let there = folder;
  while (!existsSync(there)) there = path.dirname(there);
  const stat = statSync(there);
  if (!stat.isDirectory()) {
    add('problem', about, `${there} is a file; move it away, or name another folder with --data`);
    return;
  }
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch {
    add(
      'problem',
      about,
      `this user may not write in ${there}; make it this user's, or name another folder with --data`,
    );
    return;
  }
  if (there !== folder) add('ok', about, `${folder} will be made`);
  else if ((stat.mode & 0o077) === 0) add('ok', about, `${folder} can be written`);
  else add('hint', about, `${folder} can be written, and others may look into it: 'chmod 700 ${folder}'`);
  const { bavail, bsize } = statfsSync(there);
  const free = bavail * bsize;
  const text = `${Math.floor(free / MIB)} MiB are free there`;
  if (free < NEEDED) add('problem', about, `only ${text}; make room, or name another folder with --data`);
  else add(free < COMFORTABLE ? 'hint' : 'ok', about, text);
}
