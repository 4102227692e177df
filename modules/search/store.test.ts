import { openStorage } from '../../src/storage/index.ts';
import { tempFolder } from '../../test/kit/temp.ts';
import { directoryStoreContract } from './store.contract.ts';

describe('directory store on SQLite', () => {
  directoryStoreContract(async () => openStorage({ dataDir: tempFolder() }));
});
