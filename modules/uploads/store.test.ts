import { tempFolder } from '../../test/kit/temp.ts';
import { openStorage } from '../../src/storage/index.ts';
import { uploadStoreContract } from './store.contract.ts';

describe('uploads: their store on SQLite', () => {
  uploadStoreContract(() => openStorage({ dataDir: tempFolder() }));
});
