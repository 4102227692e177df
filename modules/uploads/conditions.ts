import type { IncomingHttpHeaders } from 'node:http';

/** Whether a header with entity tags names this one. `weak`: a weak one of the same text will do (RFC 9110 8.8.3.2). */
function names(header: string, etag: string, weak: boolean): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some(each => {
    const tag = each.trim();
    return tag === etag || (weak && tag === `W/${etag}`);
  });
}

/** A date of HTTP in ms, or NaN. */
const dateOf = (text: string): number => Date.parse(text);

/**
 * The preconditions of a request for something that never changes (RFC 9110 13.2.2): 304 or 412, or undefined where it is to be answered.
 * `modified` in milliseconds, of whole seconds.
 */
export function precondition(headers: IncomingHttpHeaders, etag: string, modified: number): 304 | 412 | undefined {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match !== undefined) {
    if (!names(match, etag, false)) return 412;
  } else {
    const since = dateOf(headers['if-unmodified-since'] ?? '');
    if (modified > since) return 412;
  }
  if (noneMatch !== undefined) return names(noneMatch, etag, true) ? 304 : undefined;
  const since = dateOf(headers['if-modified-since'] ?? '');
  return modified <= since ? 304 : undefined;
}

/** Whether a Range counts (RFC 9110 13.1.5): it does without If-Range, and with one that names what is there. */
export function rangeCounts(headers: IncomingHttpHeaders, etag: string, modified: number): boolean {
  const condition = headers['if-range'];
  if (condition === undefined) return true;
  const text = String(condition).trim();
  return text.startsWith('"') || text.startsWith('W/') ? text === etag : dateOf(text) === modified;
}
