import { type Jid, parseJid } from '../../src/jid/index.ts';
import {
  formFields,
  NO_PAGING,
  NS,
  type Paging,
  readDateTime,
  readPaging,
  refuse,
  StanzaError,
} from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';

const VALIDATE = 'http://jabber.org/protocol/xdata-validate'; // XEP-0122
/** A time with more than milliseconds. */
const FINER = /\.\d{3}\d*[1-9]/;
/** Ids that one query may name. */
const MOST_IDS = 1000;

/** What a client asks of an archive: XEP-0313 4. */
export interface Query {
  readonly queryId: string | undefined;
  readonly with: Jid | undefined;
  /** Milliseconds since 1970, both inclusive. */
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly beforeId: string | undefined;
  readonly afterId: string | undefined;
  readonly ids: readonly string[] | undefined;
  readonly flip: boolean;
  readonly paging: Paging;
}

/** The form that a client may ask for: XEP-0313 4.1.5. */
export function queryForm(): Element {
  const field = (name: string, type: string, ...children: Element[]): Element =>
    xml('field', { var: name, type }, ...children);
  return xml(
    'query',
    { xmlns: NS.mam },
    xml(
      'x',
      { xmlns: NS.dataForms, type: 'form' },
      field('FORM_TYPE', 'hidden', xml('value', {}, NS.mam)),
      field('with', 'jid-single'),
      field('start', 'text-single'),
      field('end', 'text-single'),
      field('before-id', 'text-single'),
      field('after-id', 'text-single'),
      field('ids', 'list-multi', xml('validate', { xmlns: VALIDATE, datatype: 'xs:string' }, xml('open'))),
    ),
  );
}

export function readQuery(element: Element): Query | StanzaError {
  // XEP-0442: what a node has published is in no archive
  if (element.attrs.node !== undefined) return refuse('feature-not-implemented', 'No archive here is one of a node.');
  const fields = readForm(element.getChild('x', NS.dataForms));
  if (!(fields instanceof Map)) return fields;
  const one = (name: string): string | undefined => fields.get(name)?.[0];
  const withText = one('with');
  const correspondent = withText === undefined ? undefined : parseJid(withText);
  if (withText !== undefined && !correspondent)
    return refuse('jid-malformed', `'${withText.slice(0, 100)}' is not an address (RFC 7622).`);
  const times: (number | undefined)[] = [];
  for (const name of ['start', 'end']) {
    const text = one(name);
    const time = text === undefined ? undefined : readDateTime(text);
    if (text !== undefined && time === undefined)
      return refuse('bad-request', `'${name}' is not a date and time of XEP-0082.`);
    // times of messages are whole milliseconds; the first that is not before a part of one is the next
    times.push(name === 'start' && FINER.test(text ?? '') ? time! + 1 : time);
  }
  const ids = fields.get('ids');
  if (ids && ids.length > MOST_IDS) return refuse('not-acceptable', `A query names at most ${MOST_IDS} ids.`);
  const paging = readPaging(element) ?? NO_PAGING;
  if (paging instanceof StanzaError) return paging;
  return {
    queryId: element.attrs.queryid,
    with: correspondent,
    start: times[0],
    end: times[1],
    beforeId: one('before-id'),
    afterId: one('after-id'),
    ids,
    flip: element.getChild('flip-page', NS.mam) !== undefined,
    paging,
  };
}

const KNOWN = new Set(['with', 'start', 'end', 'before-id', 'after-id', 'ids']);

/** The values of a submitted form by field; fields without a value are as none. */
function readForm(form: Element | undefined): Map<string, string[]> | StanzaError {
  const fields = new Map<string, string[]>();
  if (!form) return fields;
  if (form.attrs.type !== 'submit') return refuse('bad-request', 'A query holds a form of type submit.');
  let formType: string | undefined;
  for (const { name, values } of formFields(form)) {
    if (name === 'FORM_TYPE') formType = values[0];
    else if (name === undefined || !KNOWN.has(name)) {
      // XEP-0313 4.1.5
      return refuse('feature-not-implemented', `A field '${(name ?? '').slice(0, 100)}' is not known here.`);
    } else if (fields.has(name)) return refuse('bad-request', `The field '${name}' stands there twice.`);
    else {
      if (values.length > 1 && name !== 'ids') return refuse('bad-request', `The field '${name}' has one value.`);
      if (values.some(value => value !== ''))
        fields.set(
          name,
          values.filter(value => value !== ''),
        );
    }
  }
  if (formType !== NS.mam) return refuse('bad-request', `The form's FORM_TYPE is ${NS.mam}.`);
  return fields;
}
