/*
 * Tells the sender of a message that the server keeps it for its absent recipient: docs/protocol.md describes the protocol. What
 * the recipient's client alone may say, that it was delivered (XEP-0184), is never said in its place.
 */
import { defineModule, defineOptions, option } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';
import { Offline, type StoredMessage } from '../offline/contract.ts';

export default defineModule({
  name: 'stored',
  doc: 'Tells senders that the server has stored a message for an absent recipient.',
  needs: ['offline'],
  features: { host: [NS.stored], account: [NS.stored] },
  options: defineOptions({
    tell: option.choice(['requested', 'always'], {
      default: 'requested',
      doc: 'Whether senders are told only when they asked for a receipt (XEP-0184), or always.',
      reload: 'live',
    }),
  }),
  setup(mod) {
    mod.cleanup(
      mod.use(Offline).onStored(({ packet, account, at }: StoredMessage) => {
        const { id, from } = packet;
        if (id === undefined || !mod.enabled(account.domain)) return;
        if (!packet.stanza.has('request', NS.receipts) && mod.options(account.domain).tell !== 'always') return;
        const session = packet.sender ?? mod.node.session(from);
        if (!session?.alive) return;
        const addresses = wireAttribute('from', account.bare) + wireAttribute('to', session.jid.full);
        const stored = `<stored xmlns='${NS.stored}'${wireAttribute('id', id)} stamp='${new Date(at).toISOString()}'/>`;
        const hints = `<no-store xmlns='${NS.hints}'/><no-copy xmlns='${NS.hints}'/>`;
        session.sendWire(`<message type='headline'${addresses}>${stored}${hints}</message>`);
      }),
    );
    // nobody but a server says that something is stored
    mod.on('received', 'work', { kind: 'message' }, packet => {
      for (
        let forged = packet.child('stored', NS.stored);
        forged !== undefined;
        forged = packet.child('stored', NS.stored)
      ) {
        packet.remove(forged);
      }
    });
  },
});
