/* Lists in pages (XEP-0059). */
import { type Element, escapeText, toWire, xml } from '../xml/index.ts';
import { NS } from './namespaces.ts';
import { refuse, type StanzaError } from './stanza-error.ts';

/** Which part of a list is asked for: XEP-0059 2. */
export interface Paging {
  readonly max: number | undefined;
  readonly after: string | undefined;
  /** '' asks for the last page. */
  readonly before: string | undefined;
}

/** Where nothing is said of pages. */
export const NO_PAGING: Paging = { max: undefined, after: undefined, before: undefined };

/** What a request says of pages: undefined where that is nothing. */
export function readPaging(request: Element): Paging | undefined | StanzaError {
  const set = request.getChild('set', NS.rsm);
  if (!set) return undefined;
  const max = set.getChild('max')?.getText().trim();
  if (max !== undefined && !/^[0-9]{1,15}$/.test(max)) return refuse('bad-request', '<max/> is a number.');
  // 2.6: pages by index are not offered
  if (set.getChild('index')) return refuse('feature-not-implemented', 'Pages are asked for by ids.');
  const after = set.getChild('after')?.getText();
  return {
    max: max === undefined ? undefined : Number(max),
    // an empty <after/> begins at the beginning
    after: after === '' ? undefined : after,
    before: set.getChild('before')?.getText(),
  };
}

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

/** The same as a wire string. */
export function pageWire({ first, last, index, count }: PageOf): string {
  const at = index === undefined ? '' : ` index='${index}'`;
  return (
    `<set xmlns='${NS.rsm}'>` +
    (first === undefined ? '' : `<first${at}>${toWire(escapeText(first))}</first>`) +
    (last === undefined ? '' : `<last>${toWire(escapeText(last))}</last>`) +
    (count === undefined ? '</set>' : `<count>${count}</count></set>`)
  );
}
