import assert from 'node:assert/strict';
import { StanzaError } from '../../src/protocol/index.ts';
import { parseElement } from '../../src/xml/index.ts';
import { type Query, readQuery } from './query.ts';

const form = (fields: string, type = 'submit'): string =>
  `<x xmlns='jabber:x:data' type='${type}'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>${fields}</x>`;
const field = (name: string, ...values: string[]): string =>
  `<field var='${name}'>${values.map(value => `<value>${value}</value>`).join('')}</field>`;
const rsm = (content: string): string => `<set xmlns='http://jabber.org/protocol/rsm'>${content}</set>`;
const read = (inner: string): Query | StanzaError =>
  readQuery(parseElement(`<query xmlns='urn:xmpp:mam:2' queryid='q'>${inner}</query>`, ''));

describe('archive queries (XEP-0313 4)', () => {
  it('everything that may be asked', () => {
    const query = read(
      form(
        field('with', 'Romeo@Example.org/Orchard') +
          field('start', '2010-06-07T00:00:00Z') +
          field('end', '2010-06-07T02:00:00.5+02:00') +
          field('before-id', 'b') +
          field('after-id', 'a') +
          field('ids', 'x', 'y'),
      ) +
        rsm('<max> 10 </max><after>c</after><before/>') +
        '<flip-page/>',
    ) as Query;
    assert.equal(query.with!.full, 'romeo@example.org/Orchard');
    assert.equal(query.start, Date.UTC(2010, 5, 7));
    assert.equal(query.end, Date.UTC(2010, 5, 7, 0, 0, 0, 500));
    assert.deepEqual([query.beforeId, query.afterId, query.ids, query.flip], ['b', 'a', ['x', 'y'], true]);
    assert.deepEqual(query.paging, { max: 10, after: 'c', before: '' });
    assert.equal(query.queryId, 'q');
  });

  it('nothing asked for is everything; fields without a value say nothing', () => {
    for (const inner of ['', form(''), form(field('with') + field('start', ''))]) {
      const query = read(inner) as Query;
      assert.deepEqual([query.with, query.start, query.ids, query.flip], [undefined, undefined, undefined, false]);
      assert.deepEqual(query.paging, { max: undefined, after: undefined, before: undefined });
    }
  });

  it('a time between two milliseconds is behind the first of them', () => {
    const at = Date.UTC(2010, 5, 7, 0, 0, 0, 123);
    for (const [fraction, start] of [
      ['123', at],
      ['123000', at],
      ['123001', at + 1],
      ['1239', at + 1],
    ] as const) {
      const time = `2010-06-07T00:00:00.${fraction}Z`;
      const query = read(form(field('start', time) + field('end', time))) as Query;
      assert.deepEqual([query.start, query.end], [start, at]);
    }
  });

  it('of a node: feature-not-implemented', () => {
    const answer = readQuery(parseElement(`<query xmlns='urn:xmpp:mam:2' node='urn:xmpp:avatar:data'/>`, ''));
    assert.equal((answer as StanzaError).condition, 'feature-not-implemented');
  });

  const wrong: [name: string, inner: string, condition: string][] = [
    ['another form type', `<x xmlns='jabber:x:data' type='submit'>${field('FORM_TYPE', 'urn:x')}</x>`, 'bad-request'],
    ['no form type', `<x xmlns='jabber:x:data' type='submit'/>`, 'bad-request'],
    ['no submitted form', form('', 'form'), 'bad-request'],
    ['an unknown field', form(field('{urn:x}text', 'x')), 'feature-not-implemented'],
    ['a field without a name', form('<field><value>x</value></field>'), 'feature-not-implemented'],
    ['a field twice', form(field('with', 'a@b') + field('with', 'a@b')), 'bad-request'],
    ['two correspondents', form(field('with', 'a@b', 'c@d')), 'bad-request'],
    ['a correspondent that is none', form(field('with', 'a@b@c')), 'jid-malformed'],
    ['a date', form(field('start', '2010-06-07')), 'bad-request'],
    ['a time that does not exist', form(field('end', '2010-06-07T25:00:00Z')), 'bad-request'],
    ['a day that does not exist', form(field('start', '2010-02-30T00:00:00Z')), 'bad-request'],
    ['a time without a zone', form(field('end', '2010-06-07T00:00:00')), 'bad-request'],
    ['a negative max', rsm('<max>-1</max>'), 'bad-request'],
    ['a max that is no number', rsm('<max>ten</max>'), 'bad-request'],
    ['an index', rsm('<index>5</index>'), 'feature-not-implemented'],
    ['too many ids', form(field('ids', ...Array.from({ length: 1001 }, (_, i) => `${i}`))), 'not-acceptable'],
  ];
  for (const [name, inner, condition] of wrong) {
    it(`${name}: ${condition}`, () => {
      const answer = read(inner);
      assert.ok(answer instanceof StanzaError);
      assert.equal(answer.condition, condition);
    });
  }
});
