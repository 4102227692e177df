/** Bytes of a name in UTF-8: what file systems and databases take. */
export const LONGEST_NAME = 255;

/** Separators of paths, control characters, and those that turn the direction of text around: a name has one look everywhere. */
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u001F\u007F-\u009F/\\\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]/g;
/** What a URL takes for a step in its path (RFC 3986 5.2.4). */
const DOTS = /^\.{1,2}$/;

/** A file's name as it is kept (XEP-0363 4: intact, especially its ending). Undefined for one that is too long, or none. */
export function cleanName(name: string): string | undefined {
  const clean = name.trim().toWellFormed().replaceAll(FORBIDDEN, '_');
  if (clean === '' || Buffer.byteLength(clean) > LONGEST_NAME) return undefined;
  return DOTS.test(clean) ? clean.replaceAll('.', '_') : clean;
}

/** A segment of a path: RFC 3986 3.3, with everything encoded that is not unreserved. */
export function encodeSegment(name: string): string {
  return encodeURIComponent(name).replaceAll(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Content-Disposition with a file's name: RFC 6266, RFC 8187. */
export function disposition(kind: 'attachment' | 'inline', name: string): string {
  // what programs that do not know the second form make of it
  const plain = name.replaceAll(/[^\x20-\x7E]|["\\%]/g, '_');
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encodeSegment(name)}`;
}
