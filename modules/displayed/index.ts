/*
 * What an account has displayed, for its other devices (XEP-0490): a private node with an item a conversation, which also says what is
 * unread (modules/inbox). A client may put what it has displayed into the marker that it sends, and the server publishes it.
 */
import { defineModule } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { NS, StanzaError } from '../../src/protocol/index.ts';
import { type Kid, parseElement } from '../../src/xml/index.ts';
import { Inbox } from '../inbox/contract.ts';
import { MAX, Pubsub } from '../pubsub/contract.ts';

const DISPLAYED = 'urn:xmpp:mds:displayed:0';
const ASSIST = 'urn:xmpp:mds:server-assist:0';

/** XEP-0490 3.2, 8. */
const CONFIG = {
  persistItems: true,
  maxItems: MAX,
  sendLastPublishedItem: 'never',
  accessModel: 'whitelist',
} as const;

export default defineModule({
  name: 'displayed',
  doc: "Keeps what an account has displayed for its devices, and publishes it where a client's marker says it.",
  xeps: [{ number: 490, version: '1.0.1' }],
  needs: ['pubsub'],
  after: ['inbox'],
  setup(mod) {
    const nodes = mod.use(Pubsub);
    mod.feature('account', ASSIST);

    // 3.5.3: taken out before anybody else sees it
    mod.on(
      'received',
      'work',
      { kind: 'message', to: ['nowhere', 'host', 'bare', 'full', 'foreign'] },
      (packet, session) => {
        const first = packet.stanza.hasNamespace(DISPLAYED) ? packet.child('displayed', DISPLAYED) : undefined;
        if (first === undefined) return;
        for (let kid: Kid | undefined = first; kid !== undefined; kid = packet.child('displayed', DISPLAYED))
          packet.remove(kid);
        const payload = packet.stanza.kidElement(first);
        if (packet.type === 'error' || session.anonymous || !payload.getChild('stanza-id', NS.stanzaIds)) return;
        const { jid } = session.user;
        // without an address it is for the sender's own account
        const published = nodes.publish(jid, DISPLAYED, [{ id: (packet.to ?? jid).full, payload }], CONFIG);
        packet.hold(
          published.then(
            outcome => {
              if (outcome instanceof StanzaError)
                mod.log.debug({ condition: outcome.condition }, 'what a client displayed was not published');
            },
            (error: unknown) => mod.log.warn({ err: error }, 'what a client displayed could not be published'),
          ),
        );
      },
      { before: ['archive', 'stored'] },
    );

    mod.cleanup(
      nodes.onEvent(async ({ account, node, published }) => {
        if (node !== DISPLAYED || !mod.enabled(account.domain)) return;
        for (const { id, payload } of published) {
          const chat = parseJid(id);
          const stanzaId = payload === '' ? undefined : parseElement(payload, '').getChild('stanza-id', NS.stanzaIds);
          const { by, id: of } = (stanzaId?.attrs ?? {}) as { by?: string; id?: string };
          // ids that rooms gave are of their archives
          if (!chat || of === undefined || parseJid(by ?? '')?.full !== account.bare) continue;
          await mod.maybe(Inbox)?.displayed(account, chat.toBare(), of);
        }
      }),
    );
  },
});
