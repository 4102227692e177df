import { parseJid } from '../../src/jid/index.ts';
import type { Engine } from './engine.ts';
import type { Affiliation, PubsubNode } from './node.ts';
import { subscribersLost } from './subscribing.ts';

/** Changes affiliations, and what follows from that. Called in the node's turn. `told`: whether they are told. */
export async function affiliate(
  engine: Engine,
  node: PubsubNode,
  changes: ReadonlyMap<string, Affiliation>,
  told = true,
): Promise<void> {
  await engine.store.affiliate(node.id, changes);
  for (const [jid, affiliation] of changes) {
    if (affiliation === 'none') node.affiliations.delete(jid);
    else node.affiliations.set(jid, affiliation);
  }
  await engine.nodes.put(node);
  for (const [text, affiliation] of changes) {
    const jid = parseJid(text)!;
    if (told) engine.telling.affiliation(node, jid, affiliation);
    // 8.7: who is banned, or no member any more, is not subscribed; who has become more need not wait
    await subscribersLost(engine, node, jid);
  }
}
