import assert from 'node:assert/strict';
import sinon, { type SinonFakeTimers } from 'sinon';
import { parseJid } from '../../src/jid/index.ts';
import type { Outcome, Payload, PushChannel } from './channel.ts';
import type { Device } from './device.ts';
import { Dispatcher } from './dispatcher.ts';

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
/** Each of what was begun has had a turn. */
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await turn();
};

/** A vendor whose answers the test gives. */
class SlowChannel implements PushChannel {
  readonly name = 'fcm';
  readonly sent: { token: string; count: number; isCall: boolean; answer: (outcome: Outcome) => void }[] = [];

  problem(): undefined {
    return undefined;
  }

  send({ token = '' }: Record<string, string>, { messages: count, isCall }: Payload): Promise<Outcome> {
    return new Promise(resolve => this.sent.push({ token, count, isCall, answer: resolve }));
  }

  close(): void {}
}

describe('push gateway: the way to the vendors', () => {
  let clock: SinonFakeTimers;
  let channel: SlowChannel;
  let dispatcher: Dispatcher;
  let told: string[];
  const options = { atOnce: 2, attempts: 4, queue: 3 };
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    channel = new SlowChannel();
    told = [];
    dispatcher = new Dispatcher(
      {
        options: () => options,
        gone: ({ node }) => void told.push(`${node} gone`),
        told: ({ node }, outcome) => void told.push(`${node} ${outcome}`),
      },
      [channel],
    );
  });
  afterEach(() => {
    dispatcher.end();
    clock.restore();
  });

  const send = async (node: string, messages = 1, isCall = false) => {
    const device: Device = {
      node,
      owner: parseJid('romeo@example.org')!,
      channel: 'fcm',
      name: '',
      target: { token: node },
      secret: '',
      registeredAt: 0,
    };
    const refused = dispatcher.send(device, {
      node,
      messages,
      requests: 0,
      sender: undefined,
      body: undefined,
      isCall,
    });
    await turns();
    return refused;
  };
  const sent = (): string[] => channel.sent.map(({ token, count }) => `${token} ${count}`);
  const answer = async (outcome: Outcome): Promise<void> => {
    channel.sent.shift()!.answer(outcome);
    await turns();
  };
  const pass = async (milliseconds: number): Promise<void> => {
    await clock.tickAsync(milliseconds);
    await turns();
  };
  const retry = (after?: number, all?: boolean): Outcome => ({
    is: 'retry',
    why: '',
    ...(after !== undefined && { after }),
    ...(all && { all }),
  });

  it('one of a device at a time; what comes meanwhile is sent once, as it is then', async () => {
    for (const count of [1, 2, 3]) await send('a', count);
    assert.deepEqual(sent(), ['a 1']);
    await answer({ is: 'accepted' });
    assert.deepEqual(sent(), ['a 3']);
    await answer({ is: 'accepted' });
    assert.deepEqual([dispatcher.size, told], [0, ['a accepted', 'a accepted']]);
  });

  it('so many of a channel at a time, in the order of their coming; and no more devices than may wait', async () => {
    for (const node of ['a', 'b', 'c']) assert.equal(await send(node), undefined);
    assert.equal(await send('d'), 'full');
    assert.deepEqual(sent(), ['a 1', 'b 1']);
    assert.equal(await send('c', 2), undefined, 'of a device that waits already');
    await answer({ is: 'accepted' });
    assert.deepEqual(sent(), ['b 1', 'c 2']);
    assert.equal(await send('d'), undefined);
    await answer({ is: 'refused', why: '' });
    assert.deepEqual(sent(), ['c 2', 'd 1']);
    assert.deepEqual(told, ['a accepted', 'b refused']);
  });

  it('is tried later and later, and given up in the end', async () => {
    await send('a');
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      await answer(retry());
      const before = Date.now();
      while (channel.sent.length === 0) {
        await clock.nextAsync();
        await turns();
      }
      waits.push(Date.now() - before);
    }
    await answer(retry());
    assert.deepEqual(told, ['a retry', 'a retry', 'a retry', 'a given up']);
    for (const [index, wait] of waits.entries()) {
      const most = 1000 * 2 ** index;
      assert.ok(wait >= most / 2 && wait <= most, `attempt ${index}: ${wait}`);
    }
    await pass(3_600_000);
    assert.deepEqual([sent(), dispatcher.size], [[], 0]);
  });

  it('waits as long as the vendor says, and with all of the channel where it means all', async () => {
    await send('a');
    await answer(retry(100));
    await send('b');
    assert.deepEqual(sent(), ['b 1']);
    await pass(99_000);
    assert.deepEqual(sent(), ['b 1']);
    await pass(12_000);
    assert.deepEqual(sent(), ['b 1', 'a 1']);
    await answer(retry(100, true));
    await send('c');
    assert.deepEqual(sent(), ['a 1']);
    await pass(111_000);
    assert.equal(channel.sent.length, 2);
    await answer({ is: 'accepted' });
    await answer({ is: 'accepted' });
    await answer({ is: 'accepted' });
    assert.deepEqual(new Set(told.slice(-3)), new Set(['a accepted', 'b accepted', 'c accepted']));
  });

  it('a failure counts for what came meanwhile too', async () => {
    await send('a', 1);
    for (let i = 1; i < 4; i++) {
      await send('a', i + 1);
      await answer(retry(0));
      await pass(10);
      assert.deepEqual(sent(), [`a ${i + 1}`]);
    }
    await answer(retry(0));
    assert.deepEqual(told.at(-1), 'a given up');
  });

  it('a device that is gone is told nothing more', async () => {
    await send('a', 1);
    await send('a', 2);
    await answer({ is: 'gone', why: '' });
    assert.deepEqual([sent(), dispatcher.size, told], [[], 0, ['a gone']]);
    // one that its owner takes back while it waits
    await send('b', 1);
    await send('b', 2);
    dispatcher.forget('b');
    await answer({ is: 'accepted' });
    assert.deepEqual([sent(), dispatcher.size], [[], 0]);
  });

  it('a call that could not be told in time is one no more', async () => {
    await send('a', 1, true);
    assert.ok(channel.sent[0]!.isCall);
    await answer(retry(10));
    await pass(11_000);
    assert.ok(channel.sent[0]!.isCall);
    await answer(retry(60));
    await pass(70_000);
    assert.equal(channel.sent[0]!.isCall, false);
  });

  it('a channel that fails is no way out', async () => {
    channel.send = () => Promise.reject(new Error('a bug'));
    await send('a');
    await turns();
    assert.deepEqual([told, dispatcher.size], [['a refused'], 0]);
  });
});
