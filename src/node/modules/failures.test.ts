import assert from 'node:assert/strict';
import pino from 'pino';
import { packet } from '../../../test/kit/wire.ts';
import { StorageError } from '../../storage/index.ts';
import { Metrics } from '../metrics.ts';
import { Failures } from './failures.ts';

function trial(loud?: number) {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: undefined }, { write: line => lines.push(JSON.parse(line) as Record<string, unknown>) });
  const metrics = new Metrics();
  const clock = { now: 0 };
  return { failures: new Failures(log, metrics, loud, () => clock.now), lines, metrics, clock };
}

describe('Failures', () => {
  it('are logged with module, point and stanza id, never with what the stanza says', () => {
    const { failures, lines } = trial();
    failures.note(
      'a',
      'arriving',
      new Error('a bug'),
      packet(`<message id='m1' from='romeo@localhost/x'><body>Secret!</body></message>`),
    );
    assert.equal(lines.length, 1);
    const { module, point, id, from } = lines[0]!;
    assert.deepEqual(
      { module, point, id, from },
      { module: 'a', point: 'arriving', id: 'm1', from: 'romeo@localhost/x' },
    );
    assert.doesNotMatch(JSON.stringify(lines), /Secret/);
  });

  it('are counted by module and point', () => {
    const { failures, metrics } = trial();
    failures.note('a', 'arriving', new Error('one'));
    failures.note('a', 'arriving', new Error('two'));
    failures.note('b', 'deliver', new Error('three'));
    const family = metrics.families.find(({ name }) => name === 'posthouse_module_failures_total')!;
    assert.deepEqual(family.read(), [
      { labels: { module: 'a', point: 'arriving' }, value: 2 },
      { labels: { module: 'b', point: 'deliver' }, value: 1 },
    ]);
  });

  it('are not said loudly where the storage has told of it, and counted all the same', () => {
    const { failures, lines, metrics } = trial(1);
    const error = new StorageError('io', 'the database cannot be reached');
    error.told = true;
    failures.note('a', 'arriving', error);
    failures.note('a', 'arriving', error);
    assert.equal(lines.length, 0);
    assert.equal(metrics.counter('posthouse_module_failures_total', '', { module: 'a', point: 'arriving' }).value, 2);
    failures.note('a', 'arriving', new StorageError('constraint', 'a row is there twice'));
    assert.equal(lines[0]?.level, 50);
  });

  it('are said loudly once when there are too many in a minute, and then only counted', () => {
    const { failures, lines, clock, metrics } = trial(3);
    const fail = (times: number): void => {
      for (let i = 0; i < times; i++) failures.note('a', 'arriving', new Error('again'));
    };
    fail(2);
    clock.now = 60_000;
    fail(2);
    assert.equal(lines.filter(line => line.level === 60).length, 0);
    fail(5);
    assert.equal(lines.filter(line => line.level === 60).length, 1);
    assert.equal(lines.filter(line => line.level === 50).length, 5);
    failures.note('b', 'arriving', new Error('another'));
    assert.equal(lines.filter(line => line.level === 50).length, 6);
    assert.equal(metrics.counter('posthouse_module_failures_total', '', { module: 'a', point: 'arriving' }).value, 9);
  });

  it('of the storage tell the sender to try again, all others tell nothing', () => {
    const { failures } = trial();
    const told = (error: unknown) => {
      const { condition, type } = failures.refusal(error);
      return `${condition} ${type}`;
    };
    assert.equal(told(new StorageError('full', 'no room')), 'resource-constraint wait');
    assert.equal(told(new StorageError('io', 'gone')), 'internal-server-error wait');
    assert.equal(told(new Error('a bug')), 'internal-server-error cancel');
    assert.equal(failures.refusal(new Error('a bug')).text, undefined);
  });
});
