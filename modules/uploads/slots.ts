import type { IqRequest, OptionsOf } from '../../src/api/index.ts';
import { readDateTime, refuse, StanzaError, writeDateTime } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { isAllowed, isMediaType, LONGEST_TYPE, UNKNOWN } from './media-types.ts';
import { cleanName, encodeSegment, LONGEST_NAME } from './names.ts';
import type { options } from './options.ts';
import { isPurpose, PURPOSE, type Purpose } from './purposes.ts';
import type { Refused } from './quota.ts';
import { NEVER, type Slot } from './store.ts';

export const UPLOAD = 'urn:xmpp:http:upload:0';
type Options = OptionsOf<typeof options>;

/** What a client asks for (XEP-0363 4). */
export interface Asked {
  readonly filename: string;
  readonly size: number;
  /** '' where it is not said. */
  readonly type: string;
  readonly purpose: Purpose;
  /** When it must be gone, in milliseconds since 1970; NEVER where nothing is said. */
  readonly expires: number;
}

/** Reads a <request/>, and checks it by what the host allows. */
export function readAsked({ payload }: IqRequest, options: Options, now: number): Asked | StanzaError {
  const { filename = '', size: length = '', 'content-type': type = '' } = payload.attrs as Record<string, string>;
  const name = cleanName(filename);
  if (name === undefined)
    return refuse('bad-request', `A request has a filename of at most ${LONGEST_NAME} bytes in UTF-8.`);
  if (!/^\d{1,15}$/.test(length) || Number(length) === 0)
    return refuse('bad-request', 'A request has a size in bytes, above 0.');
  if (type !== '' && !isMediaType(type))
    return refuse('bad-request', `This is no content type, or one of more than ${LONGEST_TYPE} characters.`);
  const meant = readPurpose(payload, now);
  if (meant instanceof StanzaError) return meant;
  const { purpose } = meant;
  const rule = options[purpose];
  if (!rule.enabled) return refuse('not-acceptable', `Nothing is kept here for the purpose '${purpose}'.`);
  const size = Number(length);
  if (size > rule.size) return tooLarge(rule.size);
  if (!isAllowed(type === '' ? UNKNOWN : type, options.types))
    return refuse('not-acceptable', `Content types that are taken: ${options.types.join(', ')}.`);
  return { filename: name, size, type, ...meant };
}

/** XEP-0363 5. */
function readPurpose(payload: Element, now: number): { purpose: Purpose; expires: number } | StanzaError {
  const said = payload.getChildElements().filter(child => child.getNS() === PURPOSE);
  if (said.length > 1) return refuse('bad-request', 'A file has one purpose.');
  const [element] = said;
  if (!element) return { purpose: 'message', expires: NEVER };
  const { name } = element;
  if (!isPurpose(name)) return refuse('feature-not-implemented', 'This purpose is not known here.');
  if (name !== 'ephemeral') return { purpose: name, expires: NEVER };
  const expires = readDateTime(element.attrs['expire-before'] ?? '');
  if (expires === undefined) return refuse('bad-request', "'expire-before' is a date and time of XEP-0082.");
  if (expires <= now) return refuse('not-acceptable', "'expire-before' is over.");
  return { purpose: name, expires: Math.min(expires, NEVER) };
}

/** XEP-0363 6. */
function tooLarge(most: number): StanzaError {
  return new StanzaError('not-acceptable', {
    text: `File too large. The maximum file size is ${most} bytes.`,
    application: xml('file-too-large', { xmlns: UPLOAD }, xml('max-file-size', {}, String(most))),
  });
}

/** A quota that is used up: XEP-0363 6. */
export function overQuota({ limit, of, retry }: Refused, options: Options, purpose: Purpose): StanzaError {
  const most = (limit === 'daily' ? options.daily : options[purpose])[of];
  const when = limit === 'daily' ? 'within 24 hours' : `at a time for the purpose '${purpose}'`;
  return new StanzaError('resource-constraint', {
    text: `Quota reached. You can have only ${most} ${of} ${when}.`,
    application:
      retry === undefined || retry >= NEVER ? undefined : xml('retry', { xmlns: UPLOAD, stamp: writeDateTime(retry) }),
  });
}

/** A <slot/>. `base` is the address that those of all files begin with. */
export function slotElement({ name, secret, filename }: Slot, base: string): Element {
  const last = encodeSegment(filename);
  return xml(
    'slot',
    { xmlns: UPLOAD },
    xml('put', { url: `${base}/${secret}/${last}` }),
    xml('get', { url: `${base}/${name}/${last}` }),
  );
}
