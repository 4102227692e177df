import { type Element, xml } from '../xml/index.ts';
import { type Field, type FieldOption, type FieldType, needed, WrongValue } from './form-fields.ts';
import { NS } from './namespaces.ts';
import { refuse, StanzaError } from './stanza-error.ts';

const FORM_TYPE = 'FORM_TYPE';

/** The fields of a form, each by the name that it has in the code. */
export type FormFields = { readonly [name: string]: Field<unknown> };

/** What a form holds when all its fields have a value. */
export type FormValues<F extends FormFields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

export interface FormWords<F extends FormFields> {
  readonly title?: string;
  readonly instructions?: string;
  /** The fields that are shown, in the order of the declaration; all of them when left out. */
  readonly only?: readonly (keyof F)[];
}

/** A form (XEP-0004) with a FORM_TYPE (XEP-0068), declared once: written, shown as a result, and read by the same table. */
export class Form<F extends FormFields> {
  readonly formType: string;
  readonly fields: F;
  private readonly entries: readonly (readonly [string, Field<unknown>])[];

  constructor(formType: string, fields: F) {
    this.formType = formType;
    this.fields = fields;
    this.entries = Object.entries(fields);
  }

  /** The form to fill in, with what holds now. Fields without a value are empty. */
  form(values: Partial<FormValues<F>>, { title, instructions, only }: FormWords<F> = {}): Element {
    const shown = this.entries.filter(([name]) => only === undefined || only.includes(name));
    return xml(
      'x',
      { xmlns: NS.dataForms, type: 'form' },
      title !== undefined && xml('title', {}, title),
      instructions !== undefined && xml('instructions', {}, instructions),
      formTypeField(this.formType),
      ...shown.map(([name, field]) => this.element(field, values[name], true)),
    );
  }

  /** What is told of something: only the fields that have a value. */
  result(values: Partial<FormValues<F>>): Element {
    const told = this.entries.filter(([name]) => values[name] !== undefined);
    return xml(
      'x',
      { xmlns: NS.dataForms, type: 'result' },
      formTypeField(this.formType),
      ...told.map(([name, field]) => this.element(field, values[name], false)),
    );
  }

  /**
   * Reads what was submitted. Fields that are not known are ignored (XEP-0004 3.1), those that are missing are missing in the result.
   * Errors: bad-request for what is no such form, not-acceptable for a value, with a text that names the field and what is allowed.
   */
  read(x: Element): Partial<FormValues<F>> | StanzaError {
    const submitted = submittedFields(x, this.formType);
    if (submitted instanceof StanzaError) return submitted;
    const values: Record<string, unknown> = {};
    for (const [name, field] of this.entries) {
      const texts = submitted.get(field.name);
      if (texts === undefined) {
        if (field.required) return unacceptable(field, needed);
        continue;
      }
      const value = field.read(texts);
      if (value instanceof WrongValue) return unacceptable(field, value);
      if (value === undefined && field.required) return unacceptable(field, needed);
      if (value !== undefined) values[name] = value;
    }
    return values as Partial<FormValues<F>>;
  }

  private element(field: Field<unknown>, value: unknown, toFillIn: boolean): Element {
    const { name, type, label, desc, required, options } = field;
    const values = value === undefined ? [] : field.write(value);
    if (!toFillIn) return fieldElement({ name, type, label, values });
    return fieldElement({ name, type, label, desc, required, options, values, validate: field.validate?.() });
  }
}

/** A field as it is written: XEP-0004 3.2. */
export interface FieldMarkup {
  /** Its 'var'. */
  readonly name: string;
  readonly type: FieldType | 'fixed';
  readonly label?: string | undefined;
  readonly desc?: string | undefined;
  readonly required?: boolean | undefined;
  readonly values?: readonly string[];
  readonly options?: readonly FieldOption[] | undefined;
  /** What a client can check (XEP-0122). */
  readonly validate?: Element | undefined;
}

export function fieldElement(field: FieldMarkup): Element {
  const { name, type, label, desc, required, values = [], options = [], validate } = field;
  return xml(
    'field',
    { var: name, type, label },
    desc !== undefined && xml('desc', {}, desc),
    required && xml('required'),
    ...values.map(text => xml('value', {}, text)),
    ...options.map(option => xml('option', { label: option.label }, xml('value', {}, option.value))),
    validate,
  );
}

/** The field that says what kind of form it is: XEP-0068 3.1. */
export function formTypeField(formType: string): Element {
  return fieldElement({ name: FORM_TYPE, type: 'hidden', values: [formType] });
}

/** Declares a form. */
export function defineForm<const F extends FormFields>(formType: string, fields: F): Form<F> {
  return new Form(formType, fields);
}

function unacceptable(field: Field<unknown>, { why }: WrongValue): StanzaError {
  return refuse('not-acceptable', `The field '${field.name}' ${why}.`);
}

/**
 * The values of a submitted form by field, as they came. XEP-0068 3.4: a form without a FORM_TYPE is taken for what it is sent as; one
 * with another is none of this kind. Error: bad-request.
 */
export function submittedFields(x: Element, formType: string): Map<string, readonly string[]> | StanzaError {
  if (x.attrs.type !== 'submit') return refuse('bad-request', "A form is submitted with the type 'submit'.");
  const type = formTypeOf(x);
  if (type !== undefined && type !== formType) return refuse('bad-request', `The form's FORM_TYPE is ${formType}.`);
  const values = new Map<string, readonly string[]>();
  for (const field of formFields(x)) {
    const { name } = field;
    if (name === undefined || name === FORM_TYPE) continue;
    if (values.has(name)) return refuse('bad-request', `The field '${name.slice(0, 100)}' stands there twice.`);
    values.set(name, field.values);
  }
  return values;
}

/** A field of a form as it came. */
export interface FormField {
  /** Its 'var'. */
  readonly name: string | undefined;
  readonly values: readonly string[];
}

/** The fields of any form, in their order (XEP-0004 3.2). */
export function formFields(x: Element): FormField[] {
  return x.getChildren('field', NS.dataForms).map(field => ({
    name: field.attrs.var,
    values: field.getChildren('value', NS.dataForms).map(value => value.getText()),
  }));
}

/** The FORM_TYPE of a form (XEP-0068 3.2), whatever it is used for. */
export function formTypeOf(x: Element): string | undefined {
  return formFields(x).find(({ name }) => name === FORM_TYPE)?.values[0];
}
