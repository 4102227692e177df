import { createHash } from 'node:crypto';
import { formFields } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';

/** What disco#info says, as far as it is hashed. */
export interface Described {
  readonly identities: readonly Element[];
  readonly features: readonly string[];
  readonly forms: readonly Element[];
}

/** The verification string of what disco#info says: XEP-0115 5.1. `algorithm` as Node calls it. */
export function capsHash(info: Described, algorithm = 'sha1'): string {
  let s = '';
  const identities = info.identities.map(
    ({ attrs }) => `${attrs.category}/${attrs.type}/${attrs['xml:lang'] ?? ''}/${attrs.name ?? ''}<`,
  );
  s += identities.sort(octets).join('');
  s += info.features
    .toSorted(octets)
    .map(feature => `${feature}<`)
    .join('');
  const forms = info.forms.map(form => {
    const fields = formFields(form).map(({ name = '', values }) => ({ name, values }));
    const type = fields.find(field => field.name === 'FORM_TYPE')?.values[0] ?? '';
    const rest = fields.filter(field => field.name !== 'FORM_TYPE').sort((a, b) => octets(a.name, b.name));
    return {
      type,
      text: rest
        .map(
          ({ name, values }) =>
            `${name}<${values
              .toSorted(octets)
              .map(v => `${v}<`)
              .join('')}`,
        )
        .join(''),
    };
  });
  for (const { type, text } of forms.sort((a, b) => octets(a.type, b.type))) s += `${type}<${text}`;
  return createHash(algorithm).update(s, 'utf8').digest('base64');
}

/** The i;octet collation of RFC 4790 9.3. */
function octets(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
