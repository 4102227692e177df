/* Client access management (XEP-0494): people see what has access to their account, and take it away. */
import { type ClientView, defineModule, Empty } from '../../src/api/index.ts';
import { refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';

const CAM = 'urn:xmpp:cam:0';

export default defineModule({
  name: 'clients',
  doc: 'Lets people see the clients that have access to their account, and revoke it.',
  xeps: [{ number: 494, version: '0.1.0', note: 'passwords and tokens; there are no grants' }],
  features: { account: [CAM] },
  setup(mod) {
    mod.iq({ xmlns: CAM, name: 'list', type: 'get', to: 'account' }, async request => {
      const clients = await mod.node.clients.list(request.to);
      return xml('clients', { xmlns: CAM }, ...clients.map(describe));
    });

    mod.iq({ xmlns: CAM, name: 'revoke', type: 'set', to: 'account' }, async request => {
      const id = request.payload.attrs.id as string | undefined;
      if (!id) return refuse('bad-request', "Which one? The request needs an 'id'.");
      const result = await mod.node.clients.revoke(request.to, id);
      mod.log.info({ account: request.to.bare, client: id, result }, 'a client was revoked by its user');
      if (result === 'unknown') return refuse('item-not-found');
      if (result === 'revoked') return Empty;
      // XEP-0494 4.2: what could be taken is taken, and the rest is the password
      return new StanzaError('service-unavailable', {
        text: 'It is logged out, but it has logged in with the password. Change that to keep it out.',
        application: xml('password-reset-required', { xmlns: CAM }),
      });
    });
  },
});

/** <client/> of XEP-0494 4.1. */
function describe(client: ClientView): Element {
  const { id, sessions, firstSeen, lastSeen, software, device, password, tokenUntil } = client;
  return xml(
    'client',
    // all of them come in by a session, and by nothing else
    { id, type: 'session', connected: String(sessions.length > 0) },
    xml('first-seen', {}, time(firstSeen)),
    xml('last-seen', {}, time(lastSeen)),
    xml('auth', {}, ...(password ? [xml('password')] : []), ...(tokenUntil === undefined ? [] : [xml('fast')])),
    xml('permission', { status: 'unrestricted' }),
    ...(software || device
      ? [
          xml(
            'user-agent',
            {},
            ...(software ? [xml('software', {}, software)] : []),
            ...(device ? [xml('device', {}, device)] : []),
          ),
        ]
      : []),
  );
}

/** XEP-0082, in whole seconds. */
function time(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
