/**
 * Strict base64, RFC 4648 4: no whitespace, padding complete, unused bits zero. Undefined for anything else.
 * The empty string is valid and gives no bytes.
 */
export function decodeBase64(text: string): Buffer | undefined {
  // node decodes leniently, but encodes canonically: what does not come back as it went in was not base64.
  if (text.length % 4 !== 0) return undefined;
  const data = Buffer.from(text, 'base64');
  return data.toString('base64') === text ? data : undefined;
}

/**
 * The text of <auth/>: no text is no initial response (`data` undefined), "=" is an empty one (RFC 6120 6.4.2).
 * Undefined is `incorrect-encoding`.
 */
export function decodeAuth(text: string): { data: Buffer | undefined } | undefined {
  if (text === '') return { data: undefined };
  return decodeResponse(text);
}

/** The text of <response/>: no text and "=" are both empty data (RFC 6120 6.4.4). Undefined is `incorrect-encoding`. */
export function decodeResponse(text: string): { data: Buffer } | undefined {
  if (text === '=') return { data: Buffer.alloc(0) };
  const data = decodeBase64(text);
  return data && { data };
}

/** The text of <success/>: no data is no text, empty data is "=" (RFC 6120 6.4.6). */
export function encodeSuccess(data: Buffer | undefined): string {
  if (!data) return '';
  return data.length === 0 ? '=' : data.toString('base64');
}
