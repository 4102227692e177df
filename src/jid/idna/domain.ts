/** Domainparts (RFC 7622 3.2): labels of letters, digits and hyphens, U-labels of IDNA2008, or an IP address. */
import tr46 from 'tr46';
import { mapWidth, refuseByContext } from '../precis.ts';
import { EMPTY, Refusal, refuseRaw, withinBounds } from '../refusal.ts';
import { CONTEXTJ, CONTEXTO, PVALID, codePoints, derivedProperty, describe } from '../unicode.ts';
import { isIpLiteral } from './address.ts';

const UPPER = /[A-Z]/;
const NON_ASCII = /[^\0-\x7f]/;
/** RFC 5890 2.3.1, RFC 1034 3.1 */
const MAX_LABEL = 63;
/** Letters, digits and hyphens; neither end a hyphen; no hyphens in both third and fourth place (NR-LDH, RFC 5890 2.3.1). */
const LABEL = /^(?!..--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const DOTTED = /^[a-z0-9.-]+$/;

const EMPTY_LABEL = new Refusal('must not contain an empty label');
const LONG_LABEL = new Refusal(`must not contain a label of more than ${MAX_LABEL} bytes`);
const HYPHENS = new Refusal("must not contain a label with '-' at either end or in both third and fourth place");
const ADDRESS = new Refusal('must not contain brackets around anything but an IPv6 address');
const NOT_IDNA = new Refusal('must be an internationalised domain name of IDNA2008');

/** Enforces a domainpart. Answers U-labels, lower case, without the root's dot. */
export function enforceDomain(text: string): string | Refusal {
  const raw = refuseRaw(text);
  if (raw) return raw;
  if (NON_ASCII.test(text)) return international(text);
  const lower = UPPER.test(text) ? text.toLowerCase() : text;
  if (lower.startsWith('[')) return isIpLiteral(lower) ? withinBounds(lower) : ADDRESS;
  // RFC 7622 3.2: a final dot is stripped before anything else is done
  const domain = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  return domain.includes('xn--') ? international(domain) : (refuseAscii(domain) ?? withinBounds(domain));
}

function refuseAscii(domain: string): Refusal | undefined {
  if (domain === '') return EMPTY;
  if (!DOTTED.test(domain))
    return new Refusal(`must not contain ${describe(/[^a-z0-9.-]/.exec(domain)![0].charCodeAt(0))}`);
  for (const label of domain.split('.')) {
    if (label === '') return EMPTY_LABEL;
    if (label.length > MAX_LABEL) return LONG_LABEL;
    if (!LABEL.test(label)) return HYPHENS;
  }
  return undefined;
}

function international(text: string): string | Refusal {
  const mapped = map(text);
  const domain = mapped.endsWith('.') ? mapped.slice(0, -1) : mapped;
  if (domain === '') return EMPTY;
  if (!NON_ASCII.test(domain) && !domain.includes('xn--')) return refuseAscii(domain) ?? withinBounds(domain);

  const labels = domain.split('.');
  for (const label of labels) {
    const refusal = label.startsWith('xn--') ? undefined : refuseLabel(label);
    if (refusal) return refusal;
  }
  const options = { checkHyphens: true, checkBidi: true, checkJoiners: true, useSTD3ASCIIRules: true };
  const unicode = tr46.toUnicode(domain, options);
  const ascii = unicode.error ? null : tr46.toASCII(unicode.domain, options);
  if (ascii === null) return NOT_IDNA;

  const uLabels = unicode.domain.split('.');
  const aLabels = ascii.split('.');
  if (uLabels.length !== labels.length || aLabels.length !== labels.length) return NOT_IDNA;
  for (let i = 0; i < labels.length; i++) {
    const given = labels[i]!;
    // UTS #46 maps and drops more than IDNA2008 knows; what it would have changed is no U-label, and an A-label is the
    // one form of its U-label (RFC 5890 2.3.2.1)
    if (given !== (given.startsWith('xn--') ? aLabels[i] : uLabels[i])) return NOT_IDNA;
    if (aLabels[i]!.length > MAX_LABEL) return LONG_LABEL;
    const refusal = refuseLabel(uLabels[i]!);
    if (refusal) return refusal;
  }
  return withinBounds(unicode.domain);
}

/** RFC 7622 3.2.2, RFC 5895 2: case, width, normalisation, and the dots of other scripts. */
function map(text: string): string {
  // UTS #46 knows no final sigma for a capital one, and toLowerCase() would look at the letters around it
  return mapWidth(text)
    .replace(/\u3002/g, '.')
    .replace(/\u03a3/g, '\u03c3')
    .toLowerCase()
    .normalize('NFC');
}

/** RFC 5892 3, of one label after mapping. */
function refuseLabel(label: string): Refusal | undefined {
  if (label === '') return EMPTY_LABEL;
  if (!NON_ASCII.test(label)) return refuseAscii(label);
  const points = codePoints(label);
  for (const c of points) {
    const property = derivedProperty(c);
    const valid = property === PVALID || property === CONTEXTJ || property === CONTEXTO;
    const ldh = c >= 0x80 || c === 0x2d || (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x7a);
    if (!valid || !ldh || isIgnorableBlock(c)) return new Refusal(`must not contain ${describe(c)}`);
  }
  return refuseByContext(points);
}

/** RFC 5892 2.7: combining marks for symbols, musical symbols, ancient Greek musical notation. */
function isIgnorableBlock(c: number): boolean {
  return (c >= 0x20d0 && c <= 0x20ff) || (c >= 0x1d100 && c <= 0x1d24f);
}
