/** PRECIS (RFC 8264) as XMPP uses it: localparts (RFC 7622 3.3) and resourceparts (RFC 7622 3.4). */
import { bidiAllows } from './bidi.ts';
import { contextAllows } from './context.ts';
import { MAX_PART_BYTES, Refusal, TOO_LONG, refuseRaw, withinBounds } from './refusal.ts';
import {
  CONTEXTJ,
  CONTEXTO,
  DISALLOWED,
  FREE,
  PVALID,
  UNASSIGNED,
  codePoints,
  derivedProperty,
  describe,
} from './unicode.ts';

/** Printable ASCII without space and without " & ' / : < > @ (RFC 7622 3.3.1). */
const ASCII_LOCAL = /^[!#-%(-.0-9;=?A-Z[-~]+$/;
const EXCLUDED_LOCAL = /["&'/:<>@]/;
const ASCII_RESOURCE = /^[ -~]+$/;
const UPPER = /[A-Z]/;

/** Fullwidth and halfwidth forms and the ideographic space: the code points that decompose as <wide> or <narrow>. */
const WIDE_OR_NARROW = /[\uff01-\uffef\u3000]/g;
const NON_ASCII_SPACE = /(?! )\p{Zs}/gu;

const DIRECTION = new Refusal('must not mix directions of writing (RFC 5893)');
const UNSTABLE = new Refusal('does not become stable under its own preparation');

/** Enforces a localpart: UsernameCaseMapped of RFC 8265 3.3, and the characters that RFC 7622 3.3.1 leaves out. */
export function enforceLocal(text: string): string | Refusal {
  if (ASCII_LOCAL.test(text)) {
    if (text.length > MAX_PART_BYTES) return TOO_LONG;
    return UPPER.test(text) ? text.toLowerCase() : text;
  }
  return refuseRaw(text) ?? enforced(text, usernameCaseMapped);
}

/** Enforces a resourcepart: OpaqueString of RFC 8265 4.2. */
export function enforceResource(text: string): string | Refusal {
  if (ASCII_RESOURCE.test(text)) return text.length > MAX_PART_BYTES ? TOO_LONG : text;
  return refuseRaw(text) ?? enforced(text, opaqueString);
}

/** RFC 8264 7: the rules are applied until the output stays the same, three times at most beyond the first. */
function enforced(text: string, profile: (text: string) => string | Refusal): string | Refusal {
  let last = text;
  for (let round = 0; round < 4; round++) {
    const next = profile(last);
    if (next instanceof Refusal) return next;
    if (next === last) return withinBounds(next);
    last = next;
  }
  return UNSTABLE;
}

function usernameCaseMapped(text: string): string | Refusal {
  // RFC 8265 3.3.2: width mapping, then the string class
  const narrow = mapWidth(text);
  const early = refuseByClass(narrow, false);
  if (early) return early;
  // RFC 8265 3.3.3: case mapping, NFC, Bidi Rule; Unicode's toLowerCase() makes a sigma at the end of a word final
  const mapped = narrow.toLowerCase().normalize('NFC');
  const points = codePoints(mapped);
  const late = refuseByClass(mapped, false) ?? refuseByContext(points);
  if (late) return late;
  if (!bidiAllows(points)) return DIRECTION;
  return mapped;
}

function opaqueString(text: string): string | Refusal {
  // RFC 8265 4.2.2: the string class first
  const early = refuseByClass(text, true);
  if (early) return early;
  // RFC 8265 4.2.3: other spaces become U+0020; NFC
  const mapped = text.replace(NON_ASCII_SPACE, ' ').normalize('NFC');
  return refuseByClass(mapped, true) ?? refuseByContext(codePoints(mapped)) ?? mapped;
}

/** The width mapping rule of RFC 8264 5.2.1. */
export function mapWidth(text: string): string {
  return text.replace(WIDE_OR_NARROW, c => c.normalize('NFKC'));
}

/** The IdentifierClass (RFC 8264 4.2) without the characters excluded from localparts, or the FreeformClass (4.3). */
function refuseByClass(text: string, freeform: boolean): Refusal | undefined {
  for (let i = 0; i < text.length; i++) {
    const c = text.codePointAt(i)!;
    if (c > 0xffff) i++;
    const property = derivedProperty(c);
    if (property === PVALID || property === CONTEXTJ || property === CONTEXTO) continue;
    if (property === FREE && freeform) continue;
    if (c === 0x20) return new Refusal('must not contain a space');
    if (property === UNASSIGNED) return new Refusal(`must not contain ${describe(c)}, which Unicode does not assign`);
    if (property === DISALLOWED) return new Refusal(`must not contain ${describe(c)}, which addresses do not allow`);
    return new Refusal(`must not contain ${describe(c)}, which identifiers do not allow`);
  }
  if (freeform) return undefined;
  const excluded = EXCLUDED_LOCAL.exec(text);
  return excluded ? new Refusal(`must not contain ${excluded[0] === "'" ? '"\'"' : `'${excluded[0]}'`}`) : undefined;
}

/** RFC 8264 4.2.2, 4.3.2 and RFC 5892 A */
export function refuseByContext(points: readonly number[]): Refusal | undefined {
  for (let i = 0; i < points.length; i++) {
    const c = points[i]!;
    if (c < 0x80) continue;
    const property = derivedProperty(c);
    if ((property === CONTEXTJ || property === CONTEXTO) && !contextAllows(points, i)) {
      return new Refusal(`must not contain ${describe(c)} where it stands (RFC 5892 A)`);
    }
  }
  return undefined;
}
