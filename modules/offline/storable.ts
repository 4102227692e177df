import type { Packet } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { indexed, type Stanza } from '../../src/xml/index.ts';

/** What becomes of a message whose recipient is not there: kept, dropped without a word, or sent back. */
export type Fate = 'store' | 'drop' | 'refuse';

/** XEP-0160 3 and XEP-0334 4. */
export function fateOf(packet: Packet): Fate {
  const { type } = packet;
  if (type !== 'chat' && type !== 'normal') return 'refuse'; // headlines, errors and those of rooms are not for later
  // 'no-permanent-store' is about archives: it may wait here
  if (packet.hint('no-store')) return packet.hasBody ? 'refuse' : 'drop';
  if (packet.hasBody || packet.hint('store')) return 'store';
  // receipts, markers and encrypted messages are kept; chat states are not, and a late error about one helps nobody
  return packet.isChatState ? 'drop' : 'store';
}

/** The message as it is stored: with a stamp (XEP-0203) by the recipient's server, unless it has that already. */
export function stamped(packet: Packet, at: number): string {
  const host = packet.to!.domain;
  const copy = packet.readdressed(packet.to);
  // what a client of this node sends comes here for the first time; others may have waited in a session's outbox before
  if (!packet.sender) {
    const wire = copy.wire();
    if (stampsBy(indexed(wire), host).length > 0) return wire;
  }
  copy.append(`<delay xmlns='${NS.delay}' from='${host}' stamp='${new Date(at).toISOString()}'/>`);
  return copy.wire();
}

/** When a message came here, in milliseconds since 1970: what a session left that has ended was stamped with that. */
export function cameAt(packet: Packet): number {
  if (!packet.sender) {
    const stanza = indexed(packet.wire());
    const [stamp] = stampsBy(stanza, packet.to!.domain);
    const at = stamp === undefined ? NaN : Date.parse(String(stanza.kidElement(stamp).attrs.stamp));
    if (!isNaN(at)) return at;
  }
  return Date.now();
}

/** XEP-0203 6: nobody else may stamp in this server's name. */
export function removeForgedStamps(packet: Packet): void {
  for (const kid of stampsBy(packet.stanza, packet.to!.domain)) packet.remove(kid);
}

function stampsBy(stanza: Stanza, host: string): number[] {
  if (!stanza.has('delay', NS.delay)) return [];
  return [...stanza.children()].filter(
    kid =>
      stanza.isKid(kid, 'delay', NS.delay) && parseJid(String(stanza.kidElement(kid).attrs.from ?? ''))?.full === host,
  );
}
