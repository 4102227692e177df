import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { openStorage } from '../../src/storage/index.ts';
import { DatabaseServer, NEEDED } from '../kit/databases.ts';
import { needs } from '../kit/needs.ts';
import type { TestNode } from '../kit/node.ts';
import { tempFolder } from '../kit/temp.ts';
import { DIALECTS, load } from './released/dump.ts';
import { nodeOn, served } from './released/story.ts';
import { schemaOf } from './schema.ts';

const root = path.join(import.meta.dirname, 'released');
const versions = readdirSync(root, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(({ name }) => name);

const WHY = `A database that an earlier version made is not what a new one would be. Steps of the schema that are released are never
changed: what is new comes in a step of its own. Of a version that is not released yet: node test/storage/released/make.ts`;

for (const dialect of DIALECTS) {
  describe(`databases of released versions, ${dialect}`, function () {
    this.timeout(60_000);
    let server: DatabaseServer | undefined;
    before(async function () {
      if (dialect === 'sqlite') return;
      needs(this, NEEDED[dialect]);
      server = await DatabaseServer.start(dialect);
    });
    after(() => server?.stop());
    const place = async () => ({ folder: tempFolder(), url: (await server?.database()) ?? '' });
    const schemaAt = async ({ folder, url }: { folder: string; url: string }) => {
      const storage = await openStorage({ dataDir: folder, url });
      try {
        return await schemaOf(storage);
      } finally {
        await storage.close();
      }
    };
    const begin = async (at: { folder: string; url: string }, look: (stage: TestNode) => Promise<void>) => {
      const stage = await nodeOn(at.folder, at.url);
      try {
        await look(stage);
      } finally {
        await stage.stop({ keep: true });
      }
    };

    for (const version of versions) {
      it(`of ${version}: become what a new one is, and all that is in them is served`, async () => {
        const old = await place();
        await load(dialect, old.url || old.folder, path.join(root, version, `${dialect}.sql`));
        await begin(old, served);
        const fresh = await place();
        await begin(fresh, async () => {});
        assert.deepEqual(await schemaAt(old), await schemaAt(fresh), WHY);
        // and a start later nothing is to be done
        await begin(old, async ({ node: { storage } }) => {
          const names = await storage.read(q => q('posthouse_migrations').where({ applied_at: 0 }).pluck('name'));
          assert.deepEqual(names, []);
        });
      });
    }
  });
}
