import assert from 'node:assert/strict';
import { Empty, type IqRegistration, IqTable } from './iq-table.ts';

function registration(details: Partial<IqRegistration>): IqRegistration {
  return { owner: 'a', xmlns: 'urn:example:x', type: 'both', to: 'both', fn: () => Empty, ...details };
}

describe('IqTable', () => {
  it('finds by type, by who is asked, by name and namespace', () => {
    const table = new IqTable();
    const wanted = registration({ type: 'get', to: 'host', name: 'query' });
    table.add(wanted);
    assert.equal(table.find('get', 'host', 'query', 'urn:example:x'), wanted);
    assert.equal(table.find('set', 'host', 'query', 'urn:example:x'), undefined);
    assert.equal(table.find('get', 'account', 'query', 'urn:example:x'), undefined);
    assert.equal(table.find('get', 'host', 'other', 'urn:example:x'), undefined);
    assert.equal(table.find('get', 'host', 'query', 'urn:example:y'), undefined);
  });

  it('prefers a name to any name, and no namespace passes for another', () => {
    const table = new IqTable();
    const any = registration({});
    const named = registration({ owner: 'b', name: 'query' });
    table.add(any);
    table.add(named);
    assert.equal(table.find('set', 'account', 'query', 'urn:example:x'), named);
    assert.equal(table.find('set', 'account', 'other', 'urn:example:x'), any);
    assert.equal(table.find('set', 'account', 'x', 'y urn:example:x'), undefined);
  });

  it('takes no second answer to a request, and then nothing of it', () => {
    const table = new IqTable();
    table.add(registration({ type: 'set', to: 'host' }));
    assert.throws(() => table.add(registration({ owner: 'b' })), /answered by the module a already/);
    assert.equal(table.find('get', 'host', 'query', 'urn:example:x'), undefined);
    assert.equal(table.registrations.length, 1);
  });

  it('forgets what is taken away, and only that', () => {
    const table = new IqTable();
    const remove = table.add(registration({ name: 'query' }));
    remove();
    const next = registration({ owner: 'b', name: 'query' });
    table.add(next);
    remove();
    assert.equal(table.find('get', 'host', 'query', 'urn:example:x'), next);
    assert.deepEqual(table.registrations, [next]);
  });
});
