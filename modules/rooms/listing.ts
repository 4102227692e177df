/* The rooms of a service that are listed: XEP-0045 6.3, in pages (XEP-0059). */
import { NS, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { readPaging } from '../archive/contract.ts';
import { configFromJson, DEFAULTS } from './config.ts';
import type { RoomLists } from './lists.ts';

/** Rooms of a page. */
export const MOST = 100;
/** Behind every address. */
const END = '\u{10ffff}';

/** What is in a page, and where it is: XEP-0059 2.2. */
export interface PageOf {
  readonly first?: string | undefined;
  readonly last?: string | undefined;
  readonly index?: number | undefined;
  readonly count?: number | undefined;
}

export function pageElement({ first, last, index, count }: PageOf): Element {
  return xml(
    'set',
    { xmlns: NS.rsm },
    first !== undefined && xml('first', { index }, first),
    last !== undefined && xml('last', {}, last),
    count !== undefined && xml('count', {}, count),
  );
}

/** The children of a disco#items result; a <set/> where it is a page of more, or was asked for as one. */
export async function listRooms(lists: RoomLists, domain: string, query: Element): Promise<Element[] | StanzaError> {
  const set = query.getChild('set', NS.rsm);
  const paging = readPaging(set);
  if (paging instanceof StanzaError) return paging;
  const { after = '', before } = paging;
  const most = Math.min(paging.max ?? MOST, MOST);
  const count = await lists.count(domain);
  const rooms =
    most === 0
      ? []
      : await (before === undefined
          ? lists.after(domain, after, most)
          : lists.before(domain, before === '' ? END : before, most));
  const items = rooms.map(({ jid, config }) => {
    const { name } = configFromJson(config, DEFAULTS);
    return xml('item', { jid, name: name === '' ? undefined : name });
  });
  if (!set && rooms.length === count) return items;
  const first = rooms[0]?.jid;
  const index = first === undefined ? undefined : await lists.count(domain, first);
  return [...items, pageElement({ first, last: rooms.at(-1)?.jid, index, count })];
}
