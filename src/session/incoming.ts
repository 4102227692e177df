/*
 * What a client's stanza may be, as far as it shows without looking at anything else.
 */
import { KINDS, type Packet, stanzaProblem } from '../bus/index.ts';
import { type Jid, parseJid } from '../jid/index.ts';
import { NS, refuse, type StanzaError, type StreamError } from '../protocol/index.ts';
import type { Stanza } from '../xml/index.ts';

/** Why an element ends the stream of the session `own`; undefined when it is a stanza of its (RFC 6120 4.9.3). */
export function streamErrorOf(stanza: Stanza, own: Jid): StreamError | undefined {
  if (stanza.xmlns !== NS.client)
    return { condition: 'unsupported-stanza-type', text: `Nothing here understands ${stanza.xmlns}.` };
  if (KINDS.indexOf(stanza.name as 'message') < 0)
    return { condition: 'unsupported-stanza-type', text: `<${stanza.name}/> is no stanza.` };
  const from = stanza.attr('from');
  if (from === undefined || from === own.full || isOwn(from, own)) return undefined;
  // RFC 6120 8.1.2.1, 4.9.3.9
  return { condition: 'invalid-from', text: `This stream may send as ${own.full} only.` };
}

function isOwn(from: string, own: Jid): boolean {
  const jid = parseJid(from);
  return jid !== undefined && (jid.full === own.full || jid.full === own.bare);
}

/** Why a stanza is sent back at once: RFC 6120 8.1.1.1, and what no stanza may be. `to` as it stands there. */
export function problemOf(packet: Packet, type: string | undefined, to: string | undefined): StanzaError | undefined {
  if (to !== undefined && !packet.to)
    return refuse('jid-malformed', `'${to.slice(0, 100)}' is not an address (RFC 7622).`);
  return stanzaProblem(packet, type);
}

/** The priority of a presence; undefined when what it says is none (RFC 6121 4.7.2.3). */
export function priorityOf(packet: Packet): number | undefined {
  const text = packet.stanza.childText('priority')?.trim();
  if (text !== undefined && !/^[+-]?[0-9]{1,3}$/.test(text)) return undefined;
  const priority = Number(text ?? 0);
  return priority < -128 || priority > 127 ? undefined : priority;
}
