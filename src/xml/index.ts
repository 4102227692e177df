export { Element, xml } from '@xmpp/xml';
export { escapeAttribute, escapeText, escapeXml, fromWire, toWire, unescapeXml } from './escape.ts';
export type { XmlFault, XmlLimits } from './fault.ts';
export type { StreamHeader } from './header.ts';
export { indexed } from './make.ts';
export { Scanner, type ScannerSink } from './scanner.ts';
export { type Kid, Stanza, wireAttribute } from './stanza.ts';
export { parseElement, serialize } from './tree.ts';
