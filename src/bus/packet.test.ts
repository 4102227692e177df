import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { parseJid } from '../jid/index.ts';
import { Packet } from './packet.ts';

describe('what keeps the acknowledgement of a packet', () => {
  const romeo = parseJid('romeo@example.org')!;
  const packet = (): Packet => Packet.fromWire('<message/>', romeo, romeo);

  it('is nothing unless somebody says so', () => {
    assert.equal(packet().held, undefined);
  });

  it('is all that it was told, also what comes along while it waits, and what fails', async () => {
    const held = packet();
    const [first, second, third] = [1, 2, 3].map(() => Promise.withResolvers<void>());
    held.hold(first!.promise);
    let settled = false;
    const waiting = held.held!.then(() => (settled = true));
    // the archive has it; it goes on, to the store of offline messages for one
    void first!.promise.then(() => held.hold(second!.promise));
    first!.resolve();
    await turn();
    assert.equal(settled, false);
    held.hold(third!.promise);
    second!.reject(new Error('the disk is full'));
    await turn();
    assert.equal(settled, false);
    third!.resolve();
    await waiting;
  });
});
