/* Private XML storage (XEP-0049): one element for each name and namespace, for its owner only. */
import { defineModule, defineOptions, Empty, option } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { refuse, type StanzaError } from '../../src/protocol/index.ts';
import { parseElement, serialize, xml } from '../../src/xml/index.ts';
import { PrivateStorage, type SharedDocument } from './contract.ts';
import { privateStore } from './store.ts';

const PRIVATE = 'jabber:iq:private';
const KEY = 191; // characters
/** XEP-0049 2.3: namespaces that are the protocol's own. */
const RESERVED = /^(?:jabber:|http:\/\/jabber\.org\/|vcard-temp$)/;

export default defineModule({
  name: 'private-storage',
  doc: 'Keeps small XML documents of clients for their account.',
  xeps: [{ number: 49, version: '1.2' }],
  features: { account: [PRIVATE] },
  options: defineOptions({
    size: option.size({ default: 65_536, minimum: 1024, maximum: 1_048_576, doc: 'Largest document.', reload: 'live' }),
    documents: option.integer({
      default: 100,
      minimum: 1,
      maximum: 10_000,
      doc: 'Documents of one account.',
      reload: 'live',
    }),
  }),
  stores: { documents: privateStore },
  setup(mod) {
    const { documents } = mod.stores;
    const shared = new Map<string, SharedDocument>();
    const sharedAt = (account: Jid, name: string, xmlns: string): SharedDocument | undefined => {
      const document = shared.get(`${xmlns} ${name}`);
      return document?.serves(account.domain) ? document : undefined;
    };
    const get = async (account: Jid, name: string, xmlns: string) => {
      const found = await documents.get(account, name, xmlns);
      return found === undefined ? undefined : parseElement(found, xmlns);
    };
    mod.provide(PrivateStorage, {
      share: document => {
        const key = `${document.xmlns} ${document.name}`;
        shared.set(key, document);
        return () => {
          if (shared.get(key) === document) shared.delete(key);
        };
      },
      get,
    });
    mod.iq({ xmlns: PRIVATE, name: 'query', type: 'get', to: 'account' }, async request => {
      const asked = request.payload.getChildElements();
      if (asked.length !== 1) return refuse('bad-request', 'Ask for exactly one document.');
      const [element] = asked;
      const xmlns = element!.getNS() ?? '';
      const problem = namespaceProblem(xmlns);
      if (problem) return problem;
      const stored = await get(request.to, element!.name, xmlns);
      const found = (await sharedAt(request.to, element!.name, xmlns)?.read(request.to.toBare(), stored)) ?? stored;
      return xml('query', { xmlns: PRIVATE }, found ?? xml(element!.name, { xmlns }));
    });
    mod.iq({ xmlns: PRIVATE, name: 'query', type: 'set', to: 'account' }, async request => {
      const { size, documents: most } = mod.options(request.to.domain);
      const given = request.payload.getChildElements();
      if (given.length === 0) return refuse('not-acceptable', 'There is no document in the request.');
      const rows = new Map<string, { name: string; xmlns: string; wire: string }>();
      for (const element of given) {
        const xmlns = element.getNS() ?? '';
        const problem = namespaceProblem(xmlns) ?? lengthProblem(element.name, xmlns);
        if (problem) return problem;
        const wire = serialize(element, '');
        if (wire.length > size) return refuse('not-acceptable', `A document has at most ${size} bytes.`);
        // of two of the same name and namespace the second counts
        rows.set(`${xmlns} ${element.name}`, { name: element.name, xmlns, wire });
      }
      if (!(await documents.set(request.to, [...rows.values()], most)))
        return refuse('resource-constraint', `At most ${most} documents are kept.`);
      for (const element of given)
        await sharedAt(request.to, element.name, element.getNS() ?? '')?.stored(request.to.toBare(), element);
      return Empty;
    });
    // XEP-0227 4.6
    mod.add('portable', {
      name: 'private data',
      container: { name: 'query', xmlns: PRIVATE },
      export: async (account, after) => {
        const document = await documents.next(account, Number(after));
        return document ? { entries: [document.wire], next: String(document.id) } : { entries: [] };
      },
      import: async (account, entry) => {
        const xmlns = entry.getNS() ?? '';
        const { size, documents: most } = mod.options(account.domain);
        if (namespaceProblem(xmlns)) return { refused: `the namespace '${xmlns}' is not for private data` };
        const wire = serialize(entry, '');
        if (wire.length > size) return { refused: `a document has at most ${size} bytes` };
        const { name } = entry;
        const problem = lengthProblem(name, xmlns);
        if (problem) return { refused: problem.text! };
        if ((await documents.get(account, name, xmlns)) === wire) return 'known';
        if (!(await documents.set(account, [{ name, xmlns, wire }], most)))
          return { refused: `at most ${most} documents are kept` };
        return 'imported';
      },
    });
    mod.when('accountRemoved', jid => documents.removeAll(jid));
  },
});

/** What databases take as a key (191 characters: MySQL 5.7). */
function lengthProblem(name: string, xmlns: string): StanzaError | undefined {
  if (name.length <= KEY && xmlns.length <= KEY) return undefined;
  return refuse('not-acceptable', `A document's name and its namespace have at most ${KEY} characters each.`);
}

/** XEP-0049 2.3. */
function namespaceProblem(xmlns: string): StanzaError | undefined {
  if (xmlns === '' || xmlns === PRIVATE) return refuse('not-acceptable', 'A document has a namespace of its own.');
  return RESERVED.test(xmlns) ? refuse('not-acceptable', `The namespace ${xmlns} is not for private data.`) : undefined;
}
