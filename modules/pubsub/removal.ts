import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { Engine } from './engine.ts';

/** An account is removed: its nodes go, and what it is at the nodes of others. */
export async function removeAccount(engine: Engine, account: Jid): Promise<void> {
  const { nodes, store } = engine;
  await nodes.turn(account, '', async () => {
    await store.removeService(account.bare);
    nodes.forget(account);
  });
  await store.redirects.disown(account.bare);
  for (const { service, name } of await store.placesOf(account.bare)) {
    const at = parseJid(service);
    if (!at) continue;
    await nodes.turn(at, name, async () => {
      const node = await nodes.find(at, name);
      if (!node) return;
      const gone = [...node.subscriptions.values()].filter(({ jid }) => jid.bare === account.bare);
      await store.subscribe(
        node.id,
        [],
        gone.map(({ jid }) => jid.full),
      );
      for (const { jid } of gone) node.subscriptions.delete(jid.full);
      await store.affiliate(node.id, new Map([[account.bare, 'none']]));
      node.affiliations.delete(account.bare);
      if (node.creator === account.bare) {
        await store.forgetCreator(node.id);
        node.creator = '';
      }
      await nodes.put(node);
    });
  }
}
