import assert from 'node:assert/strict';
import { parseElement, serialize } from '../xml/index.ts';
import { pageElement, pageWire, readPaging } from './paging.ts';
import { StanzaError } from './stanza-error.ts';

const RSM = 'http://jabber.org/protocol/rsm';
const read = (inner: string) => readPaging(parseElement(`<query xmlns='urn:x'>${inner}</query>`, ''));
const set = (inner: string) => `<set xmlns='${RSM}'>${inner}</set>`;

describe('pages (XEP-0059 2)', () => {
  for (const [asked, paging] of [
    ['', undefined],
    ["<set xmlns='urn:other'><max>1</max></set>", undefined],
    [set(''), { max: undefined, after: undefined, before: undefined }],
    [set('<max> 10 </max>'), { max: 10, after: undefined, before: undefined }],
    [set('<max>0</max><after>a</after>'), { max: 0, after: 'a', before: undefined }],
    [set('<after/>'), { max: undefined, after: undefined, before: undefined }],
    [set('<before/>'), { max: undefined, after: undefined, before: '' }],
    [set('<before>b</before>'), { max: undefined, after: undefined, before: 'b' }],
  ] as const)
    it(asked || 'nothing', () => assert.deepEqual(read(asked), paging));

  for (const [asked, condition] of [
    [set('<max>many</max>'), 'bad-request'],
    [set('<max>-1</max>'), 'bad-request'],
    [set('<max/>'), 'bad-request'],
    [set('<index>3</index>'), 'feature-not-implemented'],
  ] as const)
    it(`${asked}: ${condition}`, () => {
      const refused = read(asked);
      assert.ok(refused instanceof StanzaError);
      assert.equal(refused.condition, condition);
    });

  it('what is in a page, and where it is', () => {
    const written = (page: Parameters<typeof pageElement>[0]): string => serialize(pageElement(page), '');
    assert.equal(
      written({ first: 'a', last: 'b', index: 0, count: 7 }),
      `<set xmlns="${RSM}"><first index="0">a</first><last>b</last><count>7</count></set>`,
    );
    assert.equal(written({ index: 4, count: 0 }), `<set xmlns="${RSM}"><count>0</count></set>`);
  });

  it('a page that is written at once is the same', () => {
    const pages = [{ first: 'a', last: 'b', index: 0, count: 7 }, { index: 4, count: 0 }, { first: 'a' }, {}];
    for (const page of [...pages, { first: "<é & 'ü'>", last: '\u{1f600}', index: 12 }])
      assert.equal(serialize(parseElement(pageWire(page), ''), ''), serialize(pageElement(page), ''));
  });
});
