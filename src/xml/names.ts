/** XML 1.0 (5th edition) productions NameStartChar and NameChar, without the colon, which Namespaces in XML takes away. */
const START =
  'A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}-\\u{200D}\\u{2070}-\\u{218F}' +
  '\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}';
const REST = START + '\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}-\\u{2040}';
const NCNAME = `[${START}][${REST}]*`;
const NAME = new RegExp(`^${NCNAME}$`, 'u');
const QNAME = new RegExp(`^${NCNAME}(?::${NCNAME})?$`, 'u');

// nearly all names are of ASCII: that is told sooner
const ASCII_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** Whether text is an NCName of Namespaces in XML 1.0: a name without a colon. */
export function isName(text: string): boolean {
  return ASCII_NAME.test(text) || NAME.test(text);
}

/** Whether text is a QName of Namespaces in XML 1.0. */
export function isQName(text: string): boolean {
  return ASCII_NAME.test(text) || QNAME.test(text);
}
