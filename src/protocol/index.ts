export { readDateTime, writeDateTime } from './date-time.ts';
export {
  defineForm,
  fieldElement,
  type FieldMarkup,
  Form,
  type FormField,
  formFields,
  type FormFields,
  formTypeField,
  formTypeOf,
  type FormValues,
  submittedFields,
} from './form.ts';
export { field, type Field, type FieldOption, type FieldType, WrongValue } from './form-fields.ts';
export { NS } from './namespaces.ts';
export { NO_PAGING, pageElement, type PageOf, pageWire, type Paging, readPaging } from './paging.ts';
export {
  type ErrorType,
  refuse,
  StanzaError,
  type StanzaErrorCondition,
  type StanzaErrorDetails,
} from './stanza-error.ts';
export { type StreamError, type StreamErrorCondition, streamErrorWire } from './stream-error.ts';
