/* XMPP ping (XEP-0199): the server and every account answer. */
import { defineModule, Empty } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';

export default defineModule({
  name: 'ping',
  doc: 'Answers pings.',
  xeps: [{ number: 199, version: '2.0.1' }],
  features: { host: [NS.ping], account: [NS.ping] },
  setup(mod) {
    mod.iq({ xmlns: NS.ping, name: 'ping', type: 'get', to: 'both' }, () => Empty);
  },
});
