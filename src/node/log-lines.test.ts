import assert from 'node:assert/strict';
import { pino } from 'pino';
import sinon from 'sinon';
import { Gathering } from './log-lines.ts';

describe('lines of a log', () => {
  let clock: sinon.SinonFakeTimers;
  let written: string[][];
  let gathering: Gathering;
  let log: pino.Logger;

  beforeEach(() => {
    clock = sinon.useFakeTimers();
    written = [];
    gathering = new Gathering({
      write: text => {
        written.push(
          text
            .trimEnd()
            .split('\n')
            .map(line => (JSON.parse(line) as { msg: string }).msg),
        );
      },
    });
    log = pino({ level: 'debug', base: undefined }, gathering);
  });
  afterEach(() => clock.restore());

  it('that come together are written together, within 20 ms', () => {
    log.info('a');
    log.debug('b');
    assert.deepEqual(written, []);
    clock.tick(20);
    assert.deepEqual(written, [['a', 'b']]);
    log.info('c');
    clock.tick(20);
    assert.deepEqual(written, [['a', 'b'], ['c']]);
  });

  it('are written at once when one is a warning, or worse, or a child says so', () => {
    log.info('a');
    log.warn('b');
    log.child({ module: 'x' }).error('c');
    assert.deepEqual(written, [['a', 'b'], ['c']]);
    clock.tick(100);
    assert.equal(written.length, 2);
  });

  it('do not grow beyond a portion', () => {
    for (let i = 0; i < 3; i++) log.info('x'.repeat(6000));
    assert.equal(written.length, 1);
    assert.equal(written[0]!.length, 3);
  });

  it('that wait are written when it is told that there are no more', () => {
    log.info('a');
    gathering.flush();
    assert.deepEqual(written, [['a']]);
    gathering.flush();
    clock.tick(100);
    assert.equal(written.length, 1);
  });
});
