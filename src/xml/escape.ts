/*
 * Text in two forms. A *wire string* holds one UTF-8 byte per character (Node's 'latin1'): it is what the scanner cuts out
 * of the network and what sockets take, without a conversion on the way. Everything else in the house is ordinary text.
 */

const NON_ASCII = /[\x80-\uffff]/;
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;
const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};
const entity = (c: string): string => ENTITIES[c]!;

/** Escapes text for element content; characters that XML 1.0 cannot carry become U+FFFD, as do lone surrogates. */
export function escapeText(text: string): string {
  if (!/[&<>\0-\x08\x0b-\x1f\ufffe\uffff]/.test(text)) return text;
  return text.replace(/[&<>\r]/g, entity).replace(CONTROL, '\ufffd');
}

/** As escapeText, and quotes escaped: for element content and for attribute values on one line alike. */
export function escapeXml(text: string): string {
  if (!/[&<>"'\0-\x08\x0b-\x1f\ufffe\uffff]/.test(text)) return text;
  return text.replace(/[&<>"'\r]/g, entity).replace(CONTROL, '\ufffd');
}

/** As escapeXml, and tabs and line ends kept from attribute value normalisation (XML 1.0 3.3.3). */
export function escapeAttribute(text: string): string {
  if (!/[&<>"'\0-\x1f\ufffe\uffff]/.test(text)) return text;
  return text.replace(/[&<>"'\t\n\r]/g, entity).replace(CONTROL, '\ufffd');
}

/** Undoes the five entities and character references of well-formed text. */
export function unescapeXml(text: string): string {
  return text.includes('&') ? text.replace(/&([^;]*);/g, (_, name: string) => entityText(name) ?? '') : text;
}

/** The text that a reference stands for (`amp`, `#65`, `#x41`); undefined when it is none of XML's own or no XML character. */
export function entityText(name: string): string | undefined {
  switch (name) {
    case 'amp':
      return '&';
    case 'lt':
      return '<';
    case 'gt':
      return '>';
    case 'quot':
      return '"';
    case 'apos':
      return "'";
  }
  const match = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(name);
  if (!match) return undefined;
  const code = match[1] ? Number.parseInt(match[1], 16) : Number.parseInt(match[2]!, 10);
  return isXmlCharacter(code) ? String.fromCodePoint(code) : undefined;
}

/** XML 1.0 2.2, production Char. */
function isXmlCharacter(code: number): boolean {
  return (
    code === 0x9 ||
    code === 0xa ||
    code === 0xd ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  );
}

/** Ordinary text to a wire string. */
export function toWire(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').latin1Slice();
}

/** A wire string to ordinary text. */
export function fromWire(wire: string): string {
  return isAscii(wire) ? wire : Buffer.from(wire, 'latin1').utf8Slice();
}

/** Whether both forms of it are the same. */
function isAscii(text: string): boolean {
  // counting is the faster way for what is long
  return text.length < 64 ? !NON_ASCII.test(text) : Buffer.byteLength(text) === text.length;
}
