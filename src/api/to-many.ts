import type { Packet } from '../bus/index.ts';
import type { MaybePromise } from '../util/maybe.ts';
import { currentUnit, type Unit } from '../util/unit.ts';
import type { NodeView } from './node-view.ts';

/** Stanzas that are sent with the unit that their message is kept in; for the rest of very many others have their turn. */
export const AT_ONCE = 2000;
const PORTION = 500;

/**
 * Sends a message to very many: to the first of them as part of the unit that is under way (src/util/unit.ts), to the rest when that is
 * committed, in portions between which others have their turn; to nobody else where it fails. A promise only where they are so many:
 * what is to come behind the message waits for it.
 */
export function sendToMany<T>(
  node: Pick<NodeView, 'together'>,
  message: Packet,
  all: readonly T[],
  send: (to: T) => void,
): MaybePromise<void> {
  // made once for all copies
  message.wire();
  return node.together(message, () => {
    for (let at = 0; at < all.length && at < AT_ONCE; at++) send(all[at]!);
    return all.length > AT_ONCE ? theRest(node, message, all, send, currentUnit()) : undefined;
  });
}

async function theRest<T>(
  node: Pick<NodeView, 'together'>,
  message: Packet,
  all: readonly T[],
  send: (to: T) => void,
  unit: Unit | undefined,
): Promise<void> {
  let failed = false;
  unit?.whenSettled({
    unitSettled: (_, error) => {
      failed = error !== undefined;
    },
  });
  await unit?.done();
  for (let from = AT_ONCE; from < all.length && !failed; from += PORTION) {
    node.together(message, () => {
      for (let at = from; at < all.length && at < from + PORTION; at++) send(all[at]!);
    });
    await new Promise<void>(resolve => setImmediate(resolve));
  }
}
