import { serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

/** Bookmarks of rooms, for modules that keep some in an account's name (XEP-0402). */
export interface BookmarksService {
  /** Makes items of what an account kept in a list before there were any: to be awaited before one is published in its name. */
  adopt(account: Jid): Promise<void>;
}

export const Bookmarks = serviceKey<BookmarksService>('bookmarks');
