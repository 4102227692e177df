import { NS, refuse, type StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';

/** Which part of a list is asked for: XEP-0059 2. */
export interface Paging {
  readonly max: number | undefined;
  readonly after: string | undefined;
  readonly before: string | undefined;
}

/** Undefined where no part is asked for. */
export function readPaging(around: Element): Paging | undefined | StanzaError {
  const set = around.getChild('set', NS.rsm);
  if (!set) return undefined;
  const max = set.getChildText('max')?.trim();
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

/** What is told of the part that was given. */
export function pageOf(ids: readonly string[], count: number): Element {
  return xml(
    'set',
    { xmlns: NS.rsm },
    ids.length > 0 && xml('first', {}, ids[0]!),
    ids.length > 0 && xml('last', {}, ids.at(-1)!),
    xml('count', {}, String(count)),
  );
}
