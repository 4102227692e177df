/*
 * Friend requests as a list (docs/protocol.md): subscription requests that were not answered, with their text, and the ignored ones
 * apart. Accepting and refusing is done by <presence type='subscribed'/> and 'unsubscribed', as everywhere (RFC 6121 3.1.4).
 */
import { defineModule, Empty } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';
import { PresenceService } from '../presence/contract.ts';

const REQUESTS = 'urn:posthouse:friend-requests:0';

export default defineModule({
  name: 'friend-requests',
  doc: 'Lists friend requests that wait for an answer, and keeps ignored ones apart.',
  needs: ['presence'],
  features: { account: [REQUESTS] },
  setup(mod) {
    const presence = mod.use(PresenceService);
    mod.iq({ xmlns: REQUESTS, name: 'requests', type: 'get', to: 'account' }, async request => {
      const list = await presence.requests(request.to);
      return xml(
        'requests',
        { xmlns: REQUESTS },
        list.map(({ contact, text, nick, since, ignored }) =>
          xml(
            'request',
            { jid: contact, stamp: new Date(since).toISOString(), ignored: ignored ? 'true' : undefined, name: nick },
            text !== undefined && xml('text', {}, text),
          ),
        ),
      );
    });
    for (const [name, ignored] of [
      ['ignore', true],
      ['restore', false],
    ] as const) {
      mod.iq({ xmlns: REQUESTS, name, type: 'set', to: 'account' }, async request => {
        const contact = parseJid(request.payload.attrs.jid ?? '');
        if (!contact) return refuse('jid-malformed', `Whose request? <${name} jid='name@domain'/>`);
        const found = await presence.ignore(request.to, contact.toBare(), ignored);
        return found ? Empty : refuse('item-not-found', 'There is no such request.');
      });
    }
  },
});
