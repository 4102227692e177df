/* Classes of bytes, as bits. Bytes above 0x7f are in HIGH alone: whether they make characters is looked at afterwards, at once. */
export const NAME_START = 1;
export const NAME_CHAR = 2;
/** May stand in text without a second look. */
export const TEXT_PLAIN = 4;
/** May stand in an attribute value without a second look; neither of the quotes does. */
export const VALUE_PLAIN = 8;
export const SPACE = 16;
export const HIGH = 32;

export const CLASS = new Uint8Array(256);
for (let c = 0; c < 0x80; c++) {
  const letter = (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x5f;
  const legal = c >= 0x20 || c === 0x09 || c === 0x0a;
  CLASS[c] =
    (letter ? NAME_START : 0) |
    (letter || (c >= 0x30 && c <= 0x39) || c === 0x2d || c === 0x2e ? NAME_CHAR : 0) |
    (legal && c !== 0x3c && c !== 0x26 && c !== 0x3e ? TEXT_PLAIN : 0) |
    (c >= 0x20 && c !== 0x3c && c !== 0x26 && c !== 0x22 && c !== 0x27 ? VALUE_PLAIN : 0) |
    (c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0d ? SPACE : 0);
}
CLASS.fill(HIGH, 0x80);

// Bytes with names
export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const BLANK = 0x20;
export const BANG = 0x21;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const AMP = 0x26;
export const APOS = 0x27;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const LT = 0x3c;
export const EQUALS = 0x3d;
export const GT = 0x3e;
export const QUESTION = 0x3f;
export const BRACKET = 0x5d; // ']'

/** Whether the bytes at a position spell a word of ASCII. The bytes must reach that far. */
export function spells(buf: Uint8Array, at: number, word: string): boolean {
  for (let k = 0; k < word.length; k++) if (buf[at + k] !== word.charCodeAt(k)) return false;
  return true;
}

export function sameBytes(buf: Uint8Array, a: number, b: number, length: number): boolean {
  for (let k = 0; k < length; k++) if (buf[a + k] !== buf[b + k]) return false;
  return true;
}
