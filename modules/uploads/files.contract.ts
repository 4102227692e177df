import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { type Files, WrongLength } from './files.ts';

const GIVEN = { type: 'image/png', disposition: 'inline; filename="a.png"' };
const LARGE = 3_000_000;

/** What each place of files has to do. `open` gives a new, empty one. */
export function filesContract(open: () => Promise<Files>): void {
  let files: Files;
  beforeEach(async () => {
    files = await open();
  });

  const never = new AbortController().signal;
  const nameOf = (text: string): string => createHash('md5').update(text).digest('hex');
  const put = (name: string, bytes: Buffer, signal = never): Promise<void> =>
    files.put(name, Readable.from([bytes]), bytes.length, GIVEN, signal);
  const read = async (name: string, span?: { start: number; end: number }): Promise<Buffer | undefined> => {
    const body = await files.get(name, span);
    if (!body) return undefined;
    const parts: Buffer[] = [];
    const all = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        // whose block it was may use it again
        parts.push(Buffer.from(chunk));
        done();
      },
    });
    await body.sendTo(all);
    return Buffer.concat(parts);
  };
  const all = async (prefix: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { name } of files.lying(prefix)) found.push(name);
    return found.toSorted();
  };

  it('gives back what was put, every byte', async () => {
    const bytes = randomBytes(LARGE);
    const name = nameOf('a');
    await put(name, bytes);
    assert.ok((await read(name))!.equals(bytes));
    assert.equal(await read(nameOf('b')), undefined);
  });

  it('gives parts, both ends included', async () => {
    const bytes = randomBytes(100_000);
    const name = nameOf('parts');
    await put(name, bytes);
    for (const [start, end] of [
      [0, 0],
      [0, 99_999],
      [99_999, 99_999],
      [10, 70_000],
    ] as const)
      assert.ok((await read(name, { start, end }))!.equals(bytes.subarray(start, end + 1)), `${start}-${end}`);
  });

  it('removes, also what is not there', async () => {
    const name = nameOf('gone');
    await put(name, Buffer.from('x'));
    await files.remove(name);
    await files.remove(name);
    assert.equal(await read(name), undefined);
    assert.deepEqual(await all(name.slice(0, 2)), []);
  });

  it('nothing is there of what was cut, was too short, or was given up', async () => {
    const name = nameOf('cut');
    const cut = new Readable({ read() {} });
    cut.on('error', () => {});
    cut.push(randomBytes(200_000));
    const broken = files.put(name, cut, 400_000, GIVEN, never);
    await turn();
    cut.destroy(new Error('cut'));
    await assert.rejects(broken);
    const short = Readable.from([randomBytes(1000)]);
    await assert.rejects(files.put(name, short, 1001, GIVEN, never));
    const stop = new AbortController();
    const endless = new Readable({ read() {} });
    endless.on('error', () => {});
    endless.push(randomBytes(100_000));
    const given = files.put(name, endless, 400_000, GIVEN, stop.signal);
    await turn();
    stop.abort();
    await assert.rejects(given);
    assert.equal(await read(name), undefined);
    assert.deepEqual(await all(name.slice(0, 2)), []);
    // and it can come anew
    await put(name, Buffer.from('whole'));
    assert.equal(String(await read(name)), 'whole');
  });

  it('tells what lies there, by its first two digits, and since when', async () => {
    const before = Date.now();
    const [a, b, c] = ['ab'.padEnd(32, '0'), 'ab'.padEnd(32, 'f'), 'ba'.padEnd(32, '0')];
    for (const name of [a, b, c]) await put(name, Buffer.from(name));
    assert.deepEqual(await all('ab'), [a, b]);
    assert.deepEqual(await all('ba'), [c]);
    assert.deepEqual(await all('00'), []);
    for await (const { since } of files.lying('ab')) {
      // stores of others have seconds, and clocks of their own
      assert.ok(since > before - 60_000 && since < Date.now() + 60_000, String(since));
    }
  });

  it('has room, nothing to complain of, and nothing that is left to tidy', async () => {
    assert.equal(await files.hasRoom(1), true);
    assert.equal(await files.problem(), undefined);
    await files.tidy(Date.now() + 60_000);
  });

  it('a reader that stops reads on later', async () => {
    const bytes = randomBytes(LARGE);
    const name = nameOf('slow');
    await put(name, bytes);
    const parts: Buffer[] = [];
    const slow = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, done) => {
        parts.push(Buffer.from(chunk));
        setTimeout(done, parts.length < 5 ? 20 : 0);
      },
    });
    await (await files.get(name))!.sendTo(slow);
    assert.ok(Buffer.concat(parts).equals(bytes));
  });

  it('a reader that goes leaves nothing open', async () => {
    const name = nameOf('left');
    await put(name, randomBytes(LARGE));
    const gone = new Writable({
      write: (_chunk, _encoding, done) => {
        done();
        gone.destroy();
      },
    });
    await assert.rejects((await files.get(name))!.sendTo(gone));
    const stuck = new Writable({ write: () => setImmediate(() => stuck.destroy()) });
    await assert.rejects((await files.get(name))!.sendTo(stuck));
    (await files.get(name))!.destroy();
    assert.equal((await read(name))!.length, LARGE);
  });

  it('knows a length that is not what was said', async () => {
    const error = await files.put(nameOf('long'), Readable.from([Buffer.alloc(5)]), 4, GIVEN, never).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof WrongLength, String(error));
    assert.equal(await read(nameOf('long')), undefined);
  });
}
