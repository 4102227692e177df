import assert from 'node:assert/strict';
import { condition, type TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { ask, form, MAM, type Page, type Result, rsm } from './archive.ts';
import { ok, verona } from './verona.ts';

const NOT_THERE = '0'.repeat(21);

describe('play: asking an archive (XEP-0313 4, XEP-0059)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let all: Result[];
  /** Bodies 0 to 9: even ones to juliet, odd ones to the nurse, of which 7 came from her resource `house`. */
  before(async () => {
    ({ stage, romeo } = await verona('modules: { archive: { page: 5 } }\n'));
    await stage.addUser('nurse');
    const nurse = await stage.login('nurse@localhost/house', { presence: true });
    for (let i = 0; i < 10; i++) {
      if (i === 7) {
        nurse.send("<message to='romeo@localhost' type='chat'><body>7</body></message>");
        await romeo.message();
        continue;
      }
      const to = i % 2 === 0 ? 'juliet@localhost' : 'nurse@localhost';
      romeo.send(`<message to='${to}' type='chat'><body>${i}</body></message>`);
      await romeo.settle();
      await new Promise(resolve => setTimeout(resolve, 3));
    }
    all = [...(await ask(romeo)).results, ...(await ask(romeo, rsm('<before/>'))).results];
    assert.deepEqual(
      all.map(({ body }) => body),
      ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    );
  });
  after(() => stage.stop());

  const id = (i: number): string => all[i]!.id;
  const bodies = (text: string): string[] => (text === '' ? [] : text.split(' '));

  /** What comes, whether it is all, and what the end says of it. */
  function is(page: Page, text: string, complete: boolean): void {
    assert.deepEqual(page.bodies, bodies(text));
    assert.equal(page.complete, complete);
    const inOrder = page.results.map(result => result.id).sort();
    assert.equal(page.first, inOrder[0]);
    assert.equal(page.last, inOrder.at(-1));
  }

  it('pages forwards and backwards', async () => {
    is(await ask(romeo), '0 1 2 3 4', false);
    is(await ask(romeo, rsm('<max>3</max>')), '0 1 2', false);
    is(await ask(romeo, rsm('<max>1000</max>')), '0 1 2 3 4', false);
    is(await ask(romeo, rsm(`<max>3</max><after>${id(2)}</after>`)), '3 4 5', false);
    is(await ask(romeo, rsm(`<max>3</max><after>${id(6)}</after>`)), '7 8 9', true);
    is(await ask(romeo, rsm(`<after>${id(9)}</after>`)), '', true);
    is(await ask(romeo, rsm('<max>3</max><before/>')), '7 8 9', false);
    is(await ask(romeo, rsm(`<max>3</max><before>${id(7)}</before>`)), '4 5 6', false);
    is(await ask(romeo, rsm(`<max>3</max><before>${id(3)}</before>`)), '0 1 2', true);
    is(await ask(romeo, rsm(`<before>${id(0)}</before>`)), '', true);
    is(await ask(romeo, rsm(`<max>3</max><after>${id(1)}</after><before>${id(4)}</before>`)), '2 3', true);
    is(await ask(romeo, rsm('<max>3</max><after/>')), '0 1 2', false);
  });

  it('walks through all, either way, and finds each once', async () => {
    const seen: string[] = [];
    for (let page = await ask(romeo, rsm('<max>3</max>')); ;) {
      seen.push(...page.bodies);
      if (page.complete) break;
      page = await ask(romeo, rsm(`<max>3</max><after>${page.last}</after>`));
    }
    assert.deepEqual(seen, bodies('0 1 2 3 4 5 6 7 8 9'));
    seen.length = 0;
    for (let page = await ask(romeo, rsm('<max>4</max><before/>')); ;) {
      seen.unshift(...page.bodies);
      if (page.complete) break;
      page = await ask(romeo, rsm(`<max>4</max><before>${page.first}</before>`));
    }
    assert.deepEqual(seen, bodies('0 1 2 3 4 5 6 7 8 9'));
  });

  it('counts only when asked for no message, or where it has counted already', async () => {
    const none = await ask(romeo, rsm('<max>0</max>'));
    is(none, '', false);
    assert.equal(none.count, '10');
    assert.equal((await ask(romeo, form({ with: 'nurse@localhost' }) + rsm('<max>0</max>'))).count, '5');
    assert.equal((await ask(romeo, form({ with: 'nurse@localhost/house' }) + rsm('<max>0</max>'))).count, '1');
    for (const inner of [
      form({ start: '2999-01-01T00:00:00Z' }),
      form({ with: 'tybalt@localhost' }),
      form({ ids: id(1), with: 'juliet@localhost' }),
    ]) {
      const nothing = await ask(romeo, inner + rsm('<max>0</max>'));
      is(nothing, '', true);
      assert.equal(nothing.count, '0');
    }
    is(await ask(romeo, rsm(`<max>0</max><after>${id(9)}</after>`)), '', true);
    const first = await ask(romeo);
    assert.deepEqual([first.index, first.count], ['0', undefined]);
    const some = await ask(romeo, form({ with: 'nurse@localhost' }));
    assert.deepEqual([some.index, some.count], ['0', '5']);
    const later = await ask(romeo, rsm(`<after>${id(6)}</after>`));
    assert.deepEqual([later.index, later.count], [undefined, undefined]);
  });

  it('flips a page, and no more than that', async () => {
    is(await ask(romeo, `${rsm('<max>3</max>')}<flip-page/>`), '2 1 0', false);
    is(await ask(romeo, `${rsm('<max>3</max><before/>')}<flip-page/>`), '9 8 7', false);
    is(await ask(romeo, `${rsm(`<max>9</max><after>${id(6)}</after>`)}<flip-page/>`), '9 8 7', true);
  });

  it('those with somebody, bare or at a resource', async () => {
    is(await ask(romeo, form({ with: 'nurse@localhost' })), '1 3 5 7 9', true);
    is(await ask(romeo, form({ with: 'Nurse@LOCALHOST' }) + rsm('<max>2</max><before/>')), '7 9', false);
    is(await ask(romeo, form({ with: 'nurse@localhost/house' })), '7', true);
    is(await ask(romeo, form({ with: 'nurse@localhost/elsewhere' })), '', true);
    is(await ask(romeo, form({ with: 'tybalt@localhost' })), '', true);
    // what its own account is in is everything; asked for are those to oneself
    is(await ask(romeo, form({ with: 'romeo@localhost' })), '', true);
  });

  it('those of a time, both ends included', async () => {
    const [start, end] = [all[3]!.stamp, all[6]!.stamp];
    is(await ask(romeo, form({ start, end })), '3 4 5 6', true);
    is(await ask(romeo, form({ start, end, with: 'nurse@localhost' })), '3 5', true);
    is(await ask(romeo, form({ end: all[1]!.stamp })), '0 1', true);
    is(await ask(romeo, form({ start }) + rsm('<max>2</max>')), '3 4', false);
    is(await ask(romeo, form({ start }) + rsm(`<max>9</max><before>${id(5)}</before>`)), '3 4', true);
    is(await ask(romeo, form({ start: '2999-01-01T00:00:00Z' })), '', true);
    is(await ask(romeo, form({ end: '1999-01-01T00:00:00+05:00' })), '', true);
  });

  it('those before and behind known ones, and certain ones', async () => {
    is(await ask(romeo, form({ 'after-id': id(4), 'before-id': id(8) })), '5 6 7', true);
    is(await ask(romeo, form({ 'after-id': id(4) }) + rsm('<max>2</max><before/>')), '8 9', false);
    is(await ask(romeo, form({ 'before-id': id(4) }) + rsm(`<after>${id(1)}</after>`)), '2 3', true);
    is(await ask(romeo, form({ ids: [id(8), id(1), id(4)] })), '1 4 8', true);
    is(await ask(romeo, form({ ids: [id(8), id(1), id(4)] }) + rsm('<max>2</max>')), '1 4', false);
    is(await ask(romeo, form({ ids: [id(8), id(1), id(4)] }) + rsm('<max>2</max><before/>')), '4 8', false);
    is(await ask(romeo, form({ ids: [id(8), id(1)] }) + '<flip-page/>'), '8 1', true);
    is(await ask(romeo, form({ ids: [id(7), id(8)], with: 'nurse@localhost' })), '7', true);
    const page = await ask(romeo, form({ ids: id(5) }));
    assert.deepEqual([page.bodies, page.count], [['5'], '1']);
  });

  it('a page of a conversation may be next to a message of another', async () => {
    const nurse = form({ with: 'nurse@localhost' });
    is(await ask(romeo, nurse + rsm(`<max>2</max><after>${id(2)}</after>`)), '3 5', false);
    is(await ask(romeo, nurse + rsm(`<max>2</max><before>${id(8)}</before>`)), '5 7', false);
    is(await ask(romeo, nurse + rsm(`<after>${id(8)}</after>`)), '9', true);
    // outside of what is asked for
    const from = form({ with: 'nurse@localhost', 'after-id': id(5) });
    is(await ask(romeo, from + rsm(`<after>${id(1)}</after>`)), '7 9', true);
  });

  it('an id that is not there is item-not-found', async () => {
    const other = `${id(5).slice(0, -1)}${id(5).endsWith('0') ? '1' : '0'}`;
    for (const missing of [NOT_THERE, 'nonsense', other]) {
      for (const inner of [
        rsm(`<after>${missing}</after>`),
        rsm(`<before>${missing}</before>`),
        form({ 'after-id': missing }),
        form({ 'before-id': missing }),
        form({ ids: missing }),
        form({ ids: [id(1), missing] }),
      ]) {
        const { iq, results } = await ask(romeo, inner);
        assert.equal(condition(iq), 'item-not-found', inner);
        assert.deepEqual(results, []);
      }
    }
  });

  it('who has an empty archive finds nothing, or no id', async () => {
    await stage.addUser('paris');
    const paris = await stage.login('paris@localhost/tomb', { presence: true });
    const page = await ask(paris);
    is(page, '', true);
    assert.equal(page.count, '0');
    assert.equal((await ask(paris, rsm('<max>0</max>'))).count, '0');
    assert.equal(condition((await ask(paris, form({ ids: id(0) }))).iq), 'item-not-found');
    assert.equal(condition((await ask(paris, rsm(`<after>${id(0)}</after>`))).iq), 'item-not-found');
    const metadata = ok(await paris.iq('get', `<metadata xmlns='${MAM}'/>`)).getChild('metadata', MAM)!;
    assert.deepEqual(metadata.children, []);
  });

  it("an id of somebody else's archive is none of one's own", async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    assert.equal(condition((await ask(juliet, form({ ids: id(1) }))).iq), 'item-not-found');
    assert.deepEqual((await ask(juliet, form({ ids: id(2) }))).bodies, ['2']);
  });

  it('tells its first and last message', async () => {
    const metadata = ok(await romeo.iq('get', `<metadata xmlns='${MAM}'/>`, 'romeo@localhost')).getChild(
      'metadata',
      MAM,
    )!;
    for (const [name, result] of [
      ['start', all[0]!],
      ['end', all[9]!],
    ] as const) {
      const { id: found, timestamp } = metadata.getChild(name)!.attrs;
      assert.deepEqual([found, timestamp], [result.id, result.stamp]);
    }
  });

  it('tells the fields of its form, and refuses others', async () => {
    const query = ok(await romeo.iq('get', `<query xmlns='${MAM}'/>`)).getChild('query', MAM)!;
    const fields = query.getChild('x', 'jabber:x:data')!.getChildren('field');
    assert.deepEqual(
      fields.map(({ attrs }) => `${attrs.var} ${attrs.type}`),
      [
        'FORM_TYPE hidden',
        'with jid-single',
        'start text-single',
        'end text-single',
        'before-id text-single',
        'after-id text-single',
        'ids list-multi',
      ],
    );
    assert.ok(fields[6]!.getChild('validate', 'http://jabber.org/protocol/xdata-validate')!.getChild('open'));
    assert.equal(condition((await ask(romeo, form({ '{urn:x}text': 'x' }))).iq), 'feature-not-implemented');
    assert.equal(condition((await ask(romeo, form({ start: 'yesterday' }))).iq), 'bad-request');
    assert.equal(condition((await ask(romeo, form({ with: 'a@b@c' }))).iq), 'jid-malformed');
  });
});

describe('play: a page of an archive', () => {
  it('is of a megabyte at most, also of certain messages', async () => {
    const { stage, romeo } = await verona();
    try {
      const ids: string[] = [];
      for (let i = 0; i < 6; i++) {
        romeo.send(`<message type='chat'><body>${i}${' '.repeat(250_000)}</body></message>`);
        ids.push((await romeo.message()).getChild('stanza-id')!.attrs.id!);
      }
      const ask6 = async (paging: string): Promise<[string, boolean]> => {
        const page = await ask(romeo, form({ ids }) + rsm(paging));
        return [page.bodies.map(body => body.trim()).join(' '), page.complete];
      };
      assert.deepEqual(await ask6(''), ['0 1 2 3 4', false]);
      assert.deepEqual(await ask6(`<after>${ids[4]}</after>`), ['5', true]);
      assert.deepEqual(await ask6('<before/>'), ['1 2 3 4 5', false]);
    } finally {
      await stage.stop();
    }
  });
});
