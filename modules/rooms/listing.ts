/* The rooms of a service that are listed: XEP-0045 6.3, in pages (XEP-0059). */
import { NO_PAGING, pageElement, readPaging, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { configFromJson, DEFAULTS } from './config.ts';
import type { RoomLists } from './lists.ts';

/** Rooms of a page. */
export const MOST = 100;
/** Behind every address. */
const END = '\u{10ffff}';

/** The children of a disco#items result; a <set/> where it is a page of more, or was asked for as one. */
export async function listRooms(lists: RoomLists, domain: string, query: Element): Promise<Element[] | StanzaError> {
  const paging = readPaging(query);
  if (paging instanceof StanzaError) return paging;
  const { after = '', before, max = MOST } = paging ?? NO_PAGING;
  const most = Math.min(max, MOST);
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
  if (!paging && rooms.length === count) return items;
  const first = rooms[0]?.jid;
  const index = first === undefined ? undefined : await lists.count(domain, first);
  return [...items, pageElement({ first, last: rooms.at(-1)?.jid, index, count })];
}
