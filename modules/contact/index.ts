/* Contact addresses of the service (XEP-0157), in the disco information of the host. */
import { defineModule, defineOptions, option } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';

const FORM_TYPE = 'http://jabber.org/network/serverinfo';
const KINDS = ['abuse', 'admin', 'feedback', 'sales', 'security', 'status', 'support'] as const;

const addresses = (what: string) =>
  option.list(option.string({ doc: 'A URI: mailto:, xmpp:, https:.', pattern: '^[a-z][a-z0-9+.-]*:.+' }), {
    default: [],
    doc: `Where ${what} is to be sent.`,
    reload: 'live',
  });

export default defineModule({
  name: 'contact',
  doc: 'Tells people whom to write to about this service.',
  xeps: [{ number: 157, version: '1.1.1' }],
  options: defineOptions({
    abuse: addresses('a report of abuse'),
    admin: addresses('a question to the administrators'),
    feedback: addresses('feedback'),
    sales: addresses('an order'),
    security: addresses('a report of a vulnerability'),
    status: addresses('a question about outages'),
    support: addresses('a request for help'),
  }),
  setup(mod) {
    mod.add('disco', {
      of: 'host',
      form: host => {
        const options = mod.options(host);
        const fields = KINDS.filter(kind => options[kind].length > 0).map(kind =>
          xml('field', { var: `${kind}-addresses` }, ...options[kind].map(uri => xml('value', {}, uri))),
        );
        if (fields.length === 0) return undefined;
        return xml(
          'x',
          { xmlns: NS.dataForms, type: 'result' },
          xml('field', { var: 'FORM_TYPE', type: 'hidden' }, xml('value', {}, FORM_TYPE)),
          ...fields,
        );
      },
    });
  },
});
