/** Forms of commands, whose fields are known as the command runs. */
import { fieldElement, type FieldMarkup, formTypeField, NS } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';

export type Field = FieldMarkup;

/** A form to fill in (XEP-0004 3.1). */
export function inputForm(formType: string, title: string, instructions: string, fields: readonly Field[]): Element {
  return xml(
    'x',
    { xmlns: NS.dataForms, type: 'form' },
    xml('title', {}, title),
    xml('instructions', {}, instructions),
    formTypeField(formType),
    ...fields.map(fieldElement),
  );
}

/** A form that tells a result; `more` are elements of other protocols in it. */
export function resultForm(formType: string, fields: readonly Field[], more: readonly Element[] = []): Element {
  const x = { xmlns: NS.dataForms, type: 'result' };
  return xml('x', x, formTypeField(formType), ...fields.map(fieldElement), ...more);
}
