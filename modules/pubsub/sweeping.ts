import type { CapabilitiesStore } from './capabilities-store.ts';
import { MAX } from './config.ts';
import type { PubsubStore } from './store.ts';

/** Nodes that are looked at in one go. */
const PORTION = 200;
/** Milliseconds that are left to others behind each. */
const REST = 20;

/**
 * Takes away items that are expired, and redirects: nobody reads them any more, but they take room. And capabilities of which too many are
 * known.
 */
export async function sweep(
  store: PubsubStore,
  capabilities: CapabilitiesStore,
  { capabilities: most, redirected }: { readonly capabilities: number; readonly redirected: number },
): Promise<void> {
  for (let after = 0; ;) {
    const nodes = await store.nodesAfter(after, PORTION);
    for (const { id, config } of nodes)
      if (config.itemExpire !== MAX) await store.items.expire(id, Date.now() - config.itemExpire * 1000);
    if (nodes.length < PORTION) break;
    after = nodes.at(-1)!.id;
    await new Promise(resolve => setTimeout(resolve, REST));
  }
  await store.redirects.expire(Date.now() - redirected * 1000);
  await capabilities.shrink(most);
}
