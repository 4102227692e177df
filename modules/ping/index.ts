/* XMPP ping (XEP-0199): the server and every account answer. */
import { defineModule, Empty } from '../../src/api/index.ts';

const PING = 'urn:xmpp:ping';

export default defineModule({
  name: 'ping',
  doc: 'Answers pings.',
  xeps: [{ number: 199, version: '2.0.1' }],
  features: { host: [PING], account: [PING] },
  setup(mod) {
    mod.iq({ xmlns: PING, name: 'ping', type: 'get', to: 'both' }, () => Empty);
  },
});
