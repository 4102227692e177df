/** Why a part of an address cannot be had: the end of a sentence that begins with the part's name. */
export class Refusal {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** RFC 7622 3.2, 3.3, 3.4: each part is 1 to 1023 octets of UTF-8, counted after preparation. */
export const MAX_PART_BYTES = 1023;
/** What three parts and their separators can need at most; more is refused before anything is done with it. */
export const MAX_TEXT_BYTES = 3071;

export const EMPTY = new Refusal('must not be empty');
export const TOO_LONG = new Refusal(`must not be longer than ${MAX_PART_BYTES} bytes`);
export const ILL_FORMED = new Refusal('must be well-formed Unicode, and holds half of a surrogate pair');

/** What of raw text can be told before any mapping, in time bounded by MAX_TEXT_BYTES. */
export function refuseRaw(text: string): Refusal | undefined {
  if (text.length === 0) return EMPTY;
  if (text.length > MAX_TEXT_BYTES || Buffer.byteLength(text) > MAX_TEXT_BYTES) return TOO_LONG;
  return text.isWellFormed() ? undefined : ILL_FORMED;
}

/** The bounds of a prepared part. */
export function withinBounds(prepared: string): string | Refusal {
  if (prepared === '') return EMPTY;
  return Buffer.byteLength(prepared) > MAX_PART_BYTES ? TOO_LONG : prepared;
}
