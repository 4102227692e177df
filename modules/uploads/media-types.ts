/** RFC 9110 8.3.1. */
const MEDIA_TYPE =
  /^[!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+(?:[ \t]*;[ \t]*[!#$%&'*+.^_`|~\w-]+=(?:[!#$%&'*+.^_`|~\w-]+|"[^"\\\u0000-\u001F\u007F-\uFFFF]*"))*$/;

export const LONGEST_TYPE = 191; // characters
/** RFC 9110 8.3: what it is when nothing is said. */
export const UNKNOWN = 'application/octet-stream';

export function isMediaType(text: string): boolean {
  return text.length <= LONGEST_TYPE && MEDIA_TYPE.test(text);
}

/** Type and subtype, without parameters, in lower case. */
export function essence(type: string): string {
  return type.split(';', 1)[0]!.trim().toLowerCase();
}

/** Whether a type is among those that are allowed; `image/*` are all of a kind. */
export function isAllowed(type: string, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true;
  const name = essence(type);
  return allowed.some(each => {
    const wanted = each.toLowerCase();
    return wanted.endsWith('/*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
  });
}

/**
 * What a browser may show by itself: it holds neither scripts nor links that a browser would follow. No SVG, HTML, XML or PDF; whatever is not
 * named is a download.
 */
const SHOWN = new Set([
  'image/apng',
  'image/avif',
  'image/bmp',
  'image/gif',
  'image/heic',
  'image/heif',
  'image/jpeg',
  'image/jxl',
  'image/png',
  'image/tiff',
  'image/webp',
  'image/x-icon',
  'text/plain',
  'video/mp4',
  'video/mpeg',
  'video/ogg',
  'video/quicktime',
  'video/webm',
  'audio/3gpp',
  'audio/aac',
  'audio/amr',
  'audio/flac',
  'audio/mp4',
  'audio/mpeg',
  'audio/ogg',
  'audio/opus',
  'audio/wav',
  'audio/webm',
  'audio/x-m4a',
  'audio/x-wav',
]);

/** What pages can run, whatever is said of how it is to be shown. */
const RUN = /^(?:(?:text|application)\/(?:x-)?(?:ecma|java|j|live)script[\d.]*|application\/wasm|text\/css)$/;

/** How a file of a type is given to a browser. */
export function shownAs(type: string): { readonly type: string; readonly kind: 'attachment' | 'inline' } {
  const name = essence(type);
  if (SHOWN.has(name)) return { type, kind: 'inline' };
  return { type: RUN.test(name) ? UNKNOWN : type, kind: 'attachment' };
}
