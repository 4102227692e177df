import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Storage } from '../../src/api/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { DatabaseServer, KINDS, NEEDED } from '../kit/databases.ts';
import { needs } from '../kit/needs.ts';
import { tempFolder } from '../kit/temp.ts';
import { storageContract } from './storage.contract.ts';

type Contract = (open: () => Promise<Storage>) => void;

const root = path.join(import.meta.dirname, '../..');
const require = createRequire(import.meta.url);
/** The contract suite of every store there is, by file. */
const stores = globSync('{src,modules}/**/store.contract.ts', { cwd: root })
  .toSorted()
  .map(file => {
    const contracts = Object.values(require(path.join(root, file)) as Record<string, Contract>);
    return [path.dirname(file), contracts] as const;
  });

for (const kind of KINDS) {
  describe(`storage on ${kind}`, () => {
    let server: DatabaseServer;
    before(async function () {
      needs(this, NEEDED[kind]);
      this.timeout(60_000);
      server = await DatabaseServer.start(kind);
    });
    after(function () {
      this.timeout(60_000);
      return server?.stop();
    });

    afterEach(() => server.takeBack());

    describe('src/storage', () =>
      storageContract(async () => {
        const url = await server.emptyDatabase();
        const dataDir = tempFolder();
        return () => openStorage({ dataDir, url });
      }));

    for (const [name, contracts] of stores) {
      const open = async (): Promise<Storage> => {
        const url = await server.databaseOf(name);
        const storage = await openStorage({ dataDir: tempFolder(), url });
        const migrate = storage.migrate.bind(storage);
        storage.migrate = async (module, steps) => {
          await migrate(module, steps);
          await server.remember(url, module);
        };
        return storage;
      };
      describe(name, () => {
        for (const contract of contracts) contract(open);
      });
    }
  });
}
