import { pageElement } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';

/** What is told of the part of a list that was given: XEP-0059 2.2. */
export function pageOf(ids: readonly string[], count: number): Element {
  return pageElement({ first: ids[0], last: ids.at(-1), count });
}
