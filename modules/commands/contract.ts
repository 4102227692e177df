/** Forms of commands: building and reading them. */
import { NS } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';

export interface Field {
  readonly name: string;
  readonly type:
    | 'boolean'
    | 'fixed'
    | 'hidden'
    | 'jid-multi'
    | 'jid-single'
    | 'list-single'
    | 'text-multi'
    | 'text-private'
    | 'text-single';
  readonly label?: string;
  readonly required?: boolean;
  readonly values?: readonly string[];
  readonly options?: readonly { value: string; label: string }[];
}

/** A form to fill in (XEP-0004 3.1). */
export function inputForm(formType: string, title: string, instructions: string, fields: readonly Field[]): Element {
  return xml(
    'x',
    { xmlns: NS.dataForms, type: 'form' },
    xml('title', {}, title),
    xml('instructions', {}, instructions),
    ...[hidden(formType), ...fields.map(field)],
  );
}

/** A form that tells a result; `more` are elements of other protocols in it. */
export function resultForm(formType: string, fields: readonly Field[], more: readonly Element[] = []): Element {
  return xml('x', { xmlns: NS.dataForms, type: 'result' }, ...[hidden(formType), ...fields.map(field), ...more]);
}

function hidden(formType: string): Element {
  return field({ name: 'FORM_TYPE', type: 'hidden', values: [formType] });
}

function field({ name, type, label, required, values = [], options = [] }: Field): Element {
  return xml(
    'field',
    { var: name, type, label },
    required && xml('required'),
    ...options.map(option => xml('option', { label: option.label }, xml('value', {}, option.value))),
    ...values.map(value => xml('value', {}, value)),
  );
}
