import path from 'node:path';
import type { OptionsOf } from '../../src/api/index.ts';
import { DiskFiles } from './disk.ts';
import type { Files } from './files.ts';
import type { options } from './options.ts';
import { S3Files } from './s3.ts';

type Options = OptionsOf<typeof options>;

/** Where files are kept, as the options have it. `folder` is the data folder. */
export function placeOf(chosen: () => Options, folder: string): Files {
  const { store, disk, s3 } = chosen();
  return store === 's3' ? new S3Files(s3) : new DiskFiles(path.resolve(folder, disk.folder), () => chosen().disk.free);
}
