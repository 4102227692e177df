/* Private XML storage (XEP-0049): one element for each name and namespace, for its owner only. */
import { defineModule, defineOptions, Empty, option } from '../../src/api/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { parseElement, serialize, xml } from '../../src/xml/index.ts';
import { privateStore } from './store.ts';

const PRIVATE = 'jabber:iq:private';

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
    mod.iq({ xmlns: PRIVATE, name: 'query', type: 'get', to: 'account' }, async request => {
      const asked = request.payload.getChildElements();
      if (asked.length !== 1) return refuse('bad-request', 'Ask for exactly one document.');
      const [element] = asked;
      const xmlns = element!.getNS() ?? '';
      // XEP-0049 7: a namespace of one's own
      if (xmlns === PRIVATE) return refuse('not-acceptable', 'A document has a namespace of its own.');
      const found = await documents.get(request.to, element!.name, xmlns);
      return xml(
        'query',
        { xmlns: PRIVATE },
        found === undefined ? xml(element!.name, { xmlns }) : parseElement(found, xmlns),
      );
    });
    mod.iq({ xmlns: PRIVATE, name: 'query', type: 'set', to: 'account' }, async request => {
      const { size, documents: most } = mod.options(request.to.domain);
      const given = request.payload.getChildElements();
      if (given.length === 0) return refuse('bad-request', 'There is no document in the request.');
      const rows: { name: string; xmlns: string; wire: string }[] = [];
      for (const element of given) {
        const xmlns = element.getNS() ?? '';
        if (xmlns === PRIVATE) return refuse('not-acceptable', 'A document has a namespace of its own.');
        const wire = serialize(element, '');
        if (wire.length > size) return refuse('resource-constraint', `A document has at most ${size} bytes.`);
        rows.push({ name: element.name, xmlns, wire });
      }
      if (!(await documents.set(request.to, rows, most)))
        return refuse('resource-constraint', `At most ${most} documents are kept.`);
      return Empty;
    });
    mod.when('accountRemoved', jid => documents.removeAll(jid));
  },
});
