import type { Portable } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { parseElement, serialize } from '../../src/xml/index.ts';
import type { RequestStore } from './store.ts';

/** Subscription requests that wait for an answer, as they are carried to other servers: XEP-0227 4.9. */
export function portableRequests(
  store: RequestStore,
  limits: (host: string) => { readonly requests: number; readonly requestSize: number },
): Portable {
  return {
    name: 'subscription requests',
    entry: { name: 'presence', xmlns: NS.client },
    // an account has few of them: the module's option bounds them
    export: async account => ({
      entries: (await store.list(account.bare)).map(({ stanza }) => serialize(parseElement(stanza, NS.client), '')),
    }),
    import: async (account, entry) => {
      const { type, from } = entry.attrs as Record<string, string | undefined>;
      const contact = parseJid(from ?? '')?.toBare();
      if (type !== 'subscribe' || !contact) return { refused: 'this is no subscription request' };
      if (await store.has(account.bare, contact.bare)) return 'known';
      const { requests, requestSize } = limits(account.domain);
      entry.attrs.from = contact.bare;
      entry.attrs.to = account.bare;
      const wire = serialize(entry, NS.client);
      if (wire.length > requestSize) return { refused: `a request has at most ${requestSize} bytes` };
      if ((await store.count(account.bare)) >= requests) return { refused: 'too many requests wait there' };
      await store.add(account.bare, contact.bare, wire);
      return 'imported';
    },
  };
}
