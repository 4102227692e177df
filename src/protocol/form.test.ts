import assert from 'node:assert/strict';
import { type Element, parseElement, serialize, xml } from '../xml/index.ts';
import { defineForm, field, type FormValues, NS, StanzaError, submittedFields } from './index.ts';

const play = defineForm('urn:example:play', {
  title: field.text('play#title', { label: 'Title', required: true, most: 20 }),
  summary: field.lines('play#summary', { desc: 'What happens.' }),
  tragedy: field.boolean('play#tragedy'),
  acts: field.integer('play#acts', { minimum: 1, maximum: 5 }),
  seats: field.integer('play#seats', { minimum: 1, maximum: 900, words: { none: 0 }, suggested: [10, 100] }),
  tone: field.choice('play#tone', { dark: 'Dark', light: 'Light' }),
  places: field.choices('play#places', { verona: 'Verona', mantua: 'Mantua', venice: 'Venice' }),
  author: field.jid('play#author'),
  cast: field.jids('play#cast', { bare: true, most: 2 }),
  tags: field.texts('play#tags', { most: 2, longest: 5 }),
  key: field.secret('play#key'),
});
type Play = FormValues<typeof play.fields>;

function submit(fields: Record<string, readonly string[]>, type = 'submit', formType?: string): Element {
  const form = xml('x', { xmlns: NS.dataForms, type });
  if (formType !== undefined) form.append(xml('field', { var: 'FORM_TYPE' }, xml('value', {}, formType)));
  for (const [name, values] of Object.entries({ 'play#title': ['R&J'], ...fields }))
    form.append(xml('field', { var: name }, ...values.map(value => xml('value', {}, value))));
  return form;
}

/** What is read besides the title. */
function read(fields: Record<string, readonly string[]>): Omit<Partial<Play>, 'title'> {
  const values = play.read(submit(fields));
  assert.ok(!(values instanceof StanzaError), (values as StanzaError).text);
  const { title, ...rest } = values;
  assert.equal(title, 'R&J');
  return rest;
}

function refusal(x: Element): string {
  const error = play.read(x);
  assert.ok(error instanceof StanzaError);
  return `${error.condition}: ${error.text}`;
}

describe('a form', () => {
  it('is written with what holds, and what can be chosen', () => {
    const form = play.form(
      { title: 'Romeo', seats: 0, tone: 'dark' },
      { title: 'A play', instructions: 'Fill it in.', only: ['tone', 'title', 'acts', 'seats', 'summary'] },
    );
    assert.equal(
      serialize(form),
      '<x xmlns="jabber:x:data" type="form"><title>A play</title><instructions>Fill it in.</instructions>' +
        '<field var="FORM_TYPE" type="hidden"><value>urn:example:play</value></field>' +
        '<field var="play#title" type="text-single" label="Title"><required/><value>Romeo</value></field>' +
        '<field var="play#summary" type="text-multi"><desc>What happens.</desc></field>' +
        '<field var="play#acts" type="text-single"><validate xmlns="http://jabber.org/protocol/xdata-validate"' +
        ' datatype="xs:integer"><range min="1" max="5"/></validate></field>' +
        '<field var="play#seats" type="list-single"><value>none</value><option><value>10</value></option>' +
        '<option><value>100</value></option><option><value>none</value></option>' +
        '<validate xmlns="http://jabber.org/protocol/xdata-validate" datatype="xs:string"><open/></validate></field>' +
        '<field var="play#tone" type="list-single"><value>dark</value><option label="Dark"><value>dark</value></option>' +
        '<option label="Light"><value>light</value></option></field></x>',
    );
  });

  it('a result has what is known, and nothing to fill in', () => {
    assert.equal(
      serialize(play.result({ title: 'Romeo', tragedy: true, summary: 'They meet.\nThey die.', places: ['verona'] })),
      '<x xmlns="jabber:x:data" type="result">' +
        '<field var="FORM_TYPE" type="hidden"><value>urn:example:play</value></field>' +
        '<field var="play#title" type="text-single" label="Title"><value>Romeo</value></field>' +
        '<field var="play#summary" type="text-multi"><value>They meet.</value><value>They die.</value></field>' +
        '<field var="play#tragedy" type="boolean"><value>1</value></field>' +
        '<field var="play#places" type="list-multi"><value>verona</value></field></x>',
    );
  });

  it('what it writes it reads', () => {
    const values = read({
      'play#summary': ['a', 'b'],
      'play#tragedy': ['true'],
      'play#acts': [' 5 '],
      'play#seats': ['none'],
      'play#tone': ['light'],
      'play#places': ['venice', 'verona', 'venice'],
      'play#author': ['Will@Example.org/desk'],
      'play#cast': ['romeo@example.org/a', 'ROMEO@example.org/b', '', 'juliet@example.org'],
      'play#tags': ['a', 'b', 'a', ''],
      'play#key': ['hunter2'],
    });
    const again = play.form({ ...values, title: 'R&J' } as Partial<Play>);
    again.attrs.type = 'submit';
    const { title, ...same } = play.read(parseElement(serialize(again), '')) as Play;
    assert.equal(title, 'R&J');
    assert.deepEqual(same, values);
    const { author, cast, ...plain } = same;
    assert.deepEqual(plain, {
      summary: 'a\nb',
      tragedy: true,
      acts: 5,
      seats: 0,
      tone: 'light',
      places: ['verona', 'venice'],
      tags: ['a', 'b'],
      key: 'hunter2',
    });
    assert.equal(author.full, 'will@example.org/desk');
    assert.deepEqual(
      cast.map(jid => jid.full),
      ['romeo@example.org', 'juliet@example.org'],
    );
  });

  it('fields that are missing or not known say nothing; texts and lists can be emptied', () => {
    assert.deepEqual(read({ unheard: ['x'], __proto__: ['y'] }), {});
    assert.deepEqual(read({ 'play#tragedy': [], 'play#acts': [''], 'play#tone': [], 'play#author': [''] }), {});
    assert.deepEqual(read({ 'play#summary': [], 'play#places': [], 'play#cast': [], 'play#tags': [] }), {
      summary: '',
      places: [],
      cast: [],
      tags: [],
    });
  });

  it('a value that is none is refused with its field and what is allowed', () => {
    const cases: [string, readonly string[], string][] = [
      ['play#title', ['x'.repeat(21)], 'has at most 20 characters'],
      ['play#title', [''], 'is needed'],
      ['play#title', ['a', 'b'], 'has one value'],
      ['play#tragedy', ['yes'], "is '1' or '0'"],
      ['play#acts', ['6'], 'is a number from 1 to 5'],
      ['play#acts', ['1e0'], 'is a number from 1 to 5'],
      ['play#seats', ['901'], "is a number from 1 to 900 or 'none'"],
      ['play#seats', ['toString'], "is a number from 1 to 900 or 'none'"],
      ['play#tone', ['toString'], "is one of 'dark', 'light'"],
      ['play#places', ['verona', 'rome'], "has values of these: 'verona', 'mantua', 'venice'"],
      ['play#author', ['@'], "has an address (RFC 7622), which '@' is not"],
      ['play#cast', ['a@b', 'c@b', 'd@b'], 'has at most 2 addresses'],
      ['play#tags', ['a', 'b', 'c'], 'has at most 2 values'],
      ['play#tags', ['abcdef'], 'has values of at most 5 characters'],
      ['play#summary', ['x'.repeat(500), 'x'.repeat(500)], 'has at most 1000 characters'],
    ];
    for (const [name, values, why] of cases)
      assert.equal(refusal(submit({ [name]: values })), `not-acceptable: The field '${name}' ${why}.`);
    // a text is as long as it has characters
    assert.equal((play.read(submit({ 'play#title': ['🌹'.repeat(20)] })) as Play).title.length, 40);
  });

  it('what is needed is missed', () => {
    const form = submit({});
    form.children.pop();
    assert.equal(refusal(form), "not-acceptable: The field 'play#title' is needed.");
  });

  it('what is no such form is refused', () => {
    assert.equal(refusal(submit({}, 'form')), "bad-request: A form is submitted with the type 'submit'.");
    assert.equal(refusal(submit({}, 'submit', 'urn:other')), "bad-request: The form's FORM_TYPE is urn:example:play.");
    const twice = submit({});
    twice.append(xml('field', { var: 'play#title' }, xml('value', {}, 'x')));
    assert.equal(refusal(twice), "bad-request: The field 'play#title' stands there twice.");
    assert.ok(!(play.read(submit({}, 'submit', 'urn:example:play')) instanceof StanzaError));
  });

  it('can be asked for all that came', () => {
    const fields = submittedFields(submit({ other: ['1', '2'], none: [] }), 'urn:example:play');
    assert.deepEqual(
      [...(fields as Map<string, readonly string[]>)],
      [
        ['play#title', ['R&J']],
        ['other', ['1', '2']],
        ['none', []],
      ],
    );
  });
});
