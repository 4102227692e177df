/*
 * Makes the dumps of a version, to be kept for ever, when it is released:
 *
 *   node test/storage/released/make.ts        of the version in package.json
 *
 * Needs mysqldump and pg_dump. As long as a version is not released its dumps may be made anew, and have to be when a migration changes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseServer } from '../../kit/databases.ts';
import { tempFolder } from '../../kit/temp.ts';
import { DIALECTS, dump } from './dump.ts';
import { live, liveOn, nodeOn, served, settle } from './story.ts';

const packageFile = new URL('../../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
const target = path.join(import.meta.dirname, version);
mkdirSync(target, { recursive: true });
for (const dialect of DIALECTS) {
  const folder = tempFolder();
  const server = dialect === 'sqlite' ? undefined : await DatabaseServer.start(dialect);
  try {
    const url = (await server?.database()) ?? '';
    for (const part of [live, liveOn]) {
      const stage = await nodeOn(folder, url);
      try {
        await part(stage);
      } finally {
        await stage.stop({ keep: true });
      }
      if (part === live) await settle(folder, url);
    }
    const file = path.join(target, `${dialect}.sql`);
    writeFileSync(file, dump(dialect, url || folder));
    console.log(file);
    // what was written is what is looked for
    const again = await nodeOn(folder, url);
    try {
      await served(again);
    } finally {
      await again.stop();
    }
  } finally {
    await server?.stop();
  }
}
