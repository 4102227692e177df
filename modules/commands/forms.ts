import { NS } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';

/** The values of a submitted form (XEP-0004 3.2) by field. */
export function submittedValues(form: Element): Map<string, readonly string[]> {
  const values = new Map<string, readonly string[]>();
  for (const field of form.getChildren('field', NS.dataForms)) {
    const name = field.attrs.var;
    if (name === undefined) continue;
    values.set(
      name,
      field.getChildren('value', NS.dataForms).map(value => value.getText()),
    );
  }
  return values;
}
