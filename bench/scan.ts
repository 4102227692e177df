/**
 * What reading a stanza costs, against saxes and @xmpp/xml in the same run: `node bench/scan.ts [seconds]`.
 * The best slices of a millisecond count, so that others on the machine do not. The peers make events (saxes) or a tree
 * (@xmpp/xml); ours makes a Stanza that knows its attributes and children. All get the same chunks, of 8 stanzas each;
 * `indexed` makes a Stanza of one as the house itself wrote it.
 */
import { cpus } from 'node:os';
import { Parser } from '@xmpp/xml';
import { SaxesParser } from 'saxes';
import { indexed, Scanner } from '../src/xml/index.ts';

const body = 'Wherefore art thou, Romeo? Deny thy father and refuse thy name;';
const cases = {
  'chat, 240 bytes': `<message to='romeo@montague.example/orchard' id='a7f1c09e22' type='chat'><body>${body}</body><request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='a7f1c09e22'/></message>`,
  presence: `<presence><show>away</show><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.org/client' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/></presence>`,
  'ack request': `<r xmlns='urn:xmpp:sm:3'/>`,
  'message, 4 KB': `<message to='romeo@montague.example/orchard' id='a7f1c09e22' type='chat'><body>${`${body} `.repeat(61).trimEnd()}</body></message>`,
  'Cyrillic, 4 KB': `<message to='romeo@montague.example/orchard' id='a7f1c09e22' type='chat'><body>${'Что же ты, Ромео? Отрекись от отца. '.repeat(61).trimEnd()}</body></message>`,
  'odd (prefixes, CDATA)': `<c:message xmlns:c='jabber:client' to='romeo@montague.example/orchard' id='a7' type='chat'><c:body><![CDATA[${body}]]></c:body></c:message>`,
};
const BATCH = 8;
const HEADER = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='montague.example' version='1.0'>`;
const LIMITS = { bytes: 262_144, depth: 100, attributes: 100, elements: 10_000 };

let seen = 0; // read by all, so that nothing is optimised away

type Reader = (chunk: Buffer) => void;

function scanner(): Reader {
  const ours = new Scanner(
    {
      onHeader: () => {},
      onStanza: stanza => void (seen += stanza.kids.length),
      onClose: () => {},
      onFault: fault => {
        throw new Error(fault.text);
      },
    },
    LIMITS,
  );
  ours.push(Buffer.from(HEADER));
  return chunk => ours.push(chunk);
}

function saxes(): Reader {
  const parser = new SaxesParser({ xmlns: true });
  parser.on('opentag', () => void seen++);
  parser.on('text', () => void seen++);
  parser.on('error', error => {
    throw error;
  });
  parser.write(HEADER);
  return chunk => void parser.write(chunk.toString());
}

function xmppXml(): Reader {
  const parser = new Parser();
  parser.on('element', element => void (seen += element.children.length));
  parser.on('error', error => {
    throw error;
  });
  parser.write(HEADER);
  return chunk => parser.write(chunk.toString());
}

function again(): Reader {
  return chunk => void (seen += indexed(chunk.latin1Slice()).kids.length);
}

/** Nanoseconds a stanza: the fifth percentile of slices of a millisecond. */
function measure(read: Reader, chunk: Buffer, stanzas: number, milliseconds: number): number {
  const slices: number[] = [];
  const end = performance.now() + milliseconds;
  do {
    const began = performance.now();
    let rounds = 0;
    let now;
    do {
      for (let i = 0; i < 8; i++) read(chunk);
      rounds += 8;
      now = performance.now();
    } while (now - began < 1);
    slices.push(((now - began) * 1e6) / (rounds * stanzas));
  } while (performance.now() < end);
  slices.sort((a, b) => a - b);
  return slices[Math.floor(slices.length / 20)]!;
}

const readers = { posthouse: scanner, saxes, '@xmpp/xml': xmppXml };
const seconds = Number(process.argv[2] ?? 12);
const slice = (seconds * 1000) / (Object.keys(cases).length * 5 * 4);

console.log(`${cpus()[0]?.model.trim() ?? ''}, Node ${process.version}; ns a stanza`);
const table: Record<string, Record<string, number>> = {};
for (const [name, stanza] of Object.entries(cases)) {
  const chunk = Buffer.from(stanza.repeat(BATCH));
  const best: Record<string, number> = { bytes: Buffer.byteLength(stanza) };
  for (let round = 0; round < 5; round++) {
    for (const [who, make] of Object.entries(readers)) {
      best[who] = Math.min(best[who] ?? Infinity, measure(make(), chunk, BATCH, slice));
    }
    const markup = Buffer.from(stanza);
    best.indexed = Math.min(best.indexed ?? Infinity, measure(again(), markup, 1, slice));
  }
  table[name] = Object.fromEntries(Object.entries(best).map(([who, ns]) => [who, Math.round(ns)]));
}
console.table(table);
if (seen === 0) throw new Error('nothing was read');
