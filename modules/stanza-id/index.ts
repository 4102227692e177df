/*
 * Unique and stable stanza ids (XEP-0359): each message that may have to be kept gets one from its recipient's account, and nobody
 * else's can pass for it.
 */
import { defineModule, type Packet, wireJid } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { StanzaIds } from './contract.ts';
import { idMaker } from './ids.ts';

export default defineModule({
  name: 'stanza-id',
  doc: 'Gives each message for an account an id that archives and clients can rely on, and removes forged ones.',
  xeps: [{ number: 359, version: '0.7.0' }],
  features: { account: [NS.stanzaIds] },
  setup(mod) {
    let floor = 0;
    const next = idMaker(Date.now, () => floor);
    mod.provide(StanzaIds, {
      next,
      of: packet => packet.stanzaId,
      after: time => {
        floor = Math.max(floor, time);
      },
      clean: removeForged,
      give,
    });
    mod.on('arriving', 'work', { kind: 'message', to: ['bare', 'full'] }, packet => {
      const { to, type } = packet;
      if (packet.stanza.has('stanza-id', NS.stanzaIds)) removeForged(packet, to!);
      // what a room sends has the room's id, XEP-0359 3
      if (type === 'groupchat' || type === 'error' || (!packet.hasBody && packet.isChatState)) return;
      if (packet.stanzaId !== undefined) return;
      // clients take what they see for an id of their archive (XEP-0313 3.4): of what nobody keeps they see none
      if (type === 'headline' || packet.hint('no-store')) packet.stanzaId = next();
      else give(packet, next());
    });
  },
});

function give(packet: Packet, id: string): void {
  packet.stanzaId = id;
  packet.append(`<stanza-id xmlns='${NS.stanzaIds}' id='${id}' by='${wireJid(packet.to!.toBare())}'/>`);
}

/** XEP-0359 3: only the account itself may speak in its name; nor may anybody in that of its server. */
function removeForged(packet: Packet, to: Jid): void {
  const { stanza } = packet;
  for (const kid of stanza.children()) {
    if (!stanza.isKid(kid, 'stanza-id', NS.stanzaIds)) continue;
    const claimed = parseJid(stanza.kidElement(kid).attrs.by ?? '');
    if (!claimed || claimed.bare === to.bare || claimed.full === to.domain) packet.remove(kid);
  }
}
