import { Packet, stanzaType, KINDS, type Kind } from '../../src/bus/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { Scanner, type Stanza } from '../../src/xml/index.ts';

const LIMITS = { bytes: 1_048_576, depth: 100, attributes: 100, elements: 10_000 };
const STREAM = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`;

/** Reads stanzas as they stand in a client's stream. Throws for anything that a stream may not hold. */
export function readStanzas(bytes: Uint8Array): Stanza[] {
  const stanzas: Stanza[] = [];
  const scanner = new Scanner(
    {
      onHeader: () => {},
      onStanza: stanza => stanzas.push(stanza),
      onClose: () => {},
      onFault: fault => {
        throw new Error(`${fault.condition}: ${fault.text} (${Buffer.from(bytes).toString()})`);
      },
    },
    LIMITS,
  );
  scanner.push(Buffer.from(STREAM));
  scanner.push(bytes);
  if (scanner.midway) throw new Error(`incomplete: ${Buffer.from(bytes).toString()}`);
  return stanzas;
}

/** Reads one stanza from its markup. */
export function readStanza(markup: string): Stanza {
  const [stanza, ...more] = readStanzas(Buffer.from(markup));
  if (!stanza || more.length > 0) throw new Error(`not one stanza: ${markup}`);
  return stanza;
}

/** An address, which has to be one. */
export function jid(text: string): Jid {
  const found = parseJid(text);
  if (!found) throw new Error(`'${text}' is no address`);
  return found;
}

/** A packet on its way, from the markup of its stanza; addresses are those of the markup. It has no local sender. */
export function packet(markup: string): Packet {
  const stanza = readStanza(markup);
  const kind = KINDS.indexOf(stanza.name as 'message') as Kind;
  const to = stanza.attr('to');
  return new Packet(
    kind,
    stanza,
    stanzaType(kind, stanza.type),
    jid(stanza.attr('from') ?? 'nobody@localhost'),
    to === undefined ? undefined : jid(to),
  );
}
