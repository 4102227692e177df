import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Packet, type SessionView, type Storage, StorageError } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { until } from '../../test/kit/wait.ts';
import type { Mailbox } from './mailbox.ts';
import { Mailboxes } from './mailboxes.ts';
import { type Arrival, type OfflineStore, offlineStore } from './store.ts';

const juliet = parseJid('juliet@example.org')!;

/** A client: what it was sent, and how it answers. */
class Client {
  alive = true;
  presence: object | undefined = {};
  priority = 0;
  readonly got: string[] = [];
  readonly unanswered: ((taken: boolean) => void)[] = [];

  get session(): SessionView {
    return this as unknown as SessionView;
  }

  /** Acknowledges the oldest, all when not said how many. */
  ack(count = this.unanswered.length): void {
    for (const answer of this.unanswered.splice(0, count)) answer(true);
  }

  /** Acknowledges whatever comes until nothing comes any more. */
  async ackAll(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet++) {
      if (this.unanswered.length > 0) quiet = 0;
      this.ack();
      await turn();
    }
  }
}

const turn = () => new Promise(resolve => setImmediate(resolve));

describe('mailbox', () => {
  let storage: Storage;
  let store: OfflineStore;
  let boxes: Mailboxes;
  let box: Mailbox;
  let clients: Client[];
  const sent: Packet[] = [];
  let passing: Promise<void> | undefined;

  beforeEach(async () => {
    storage = await openStorage({ dataDir: await mkdtemp(path.join(tmpdir(), 'posthouse-')) });
    await storage.migrate('offline/messages', offlineStore.migrations);
    store = await offlineStore.open(storage);
    clients = [];
    sent.length = 0;
    passing = undefined;
    boxes = new Mailboxes(
      {
        store,
        page: (account, ...rest) => store.page(account, ...rest),
        sessions: () => clients.map(client => client.session),
        deliver: (packet, session, taken) => {
          const client = session as unknown as Client;
          // what the module's gate asks for each message on its way
          if (!boxes.busy(juliet)?.hands(packet)) throw new Error('its own message was held back');
          sent.push(packet);
          client.got.push(packet.id!);
          client.unanswered.push(taken);
        },
        has: () => false,
        unwanted: () => false,
        passing: () => passing,
        failed: error => {
          if (!(error instanceof StorageError)) throw error as Error;
        },
      },
      16,
    );
    box = await boxes.of(juliet);
  });
  afterEach(() => storage.close());

  function client(): Client {
    const one = new Client();
    clients.push(one);
    return one;
  }

  function arrival(id: number): Arrival {
    const stanzaId = String(id).padStart(8, '0');
    const addresses = `from='romeo@example.org/a' to='juliet@example.org'`;
    return { stanzaId, at: 0, wire: `<message id='${id}' ${addresses}><body>x</body></message>` };
  }

  async function keep(from: number, to: number): Promise<void> {
    const ids = Array.from({ length: to - from }, (_, i) => from + i);
    await Promise.all(ids.map(id => box.add(arrival(id))));
  }

  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

  it('hands over all, in order, and lets go of each when its client has it', async () => {
    await keep(0, 3);
    const one = client();
    box.serve(one.session);
    assert.deepEqual(one.got, ['0', '1', '2']);
    assert.equal(sent[0]!.from.full, 'romeo@example.org/a');
    assert.equal(sent[0]!.to!.full, 'juliet@example.org');
    assert.equal((await store.totals(juliet)).messages, 3);
    one.ack(2);
    await store.settled();
    assert.equal((await store.totals(juliet)).messages, 1);
    one.ack();
    await store.settled();
    await turn();
    assert.equal((await store.totals(juliet)).messages, 0);
    assert.equal(box.messages, 0);
    assert.ok(boxes.quiet);
  });

  it('what is fetched from an archive waits no more, and what comes meanwhile is counted', async () => {
    await Promise.all([0, 1].map(id => box.add({ ...arrival(id), archived: true })));
    await keep(2, 3);
    const coming = box.clear(arrival(9).stanzaId);
    await Promise.all([coming, keep(3, 5)]);
    assert.equal(box.messages, 3);
    assert.equal(box.bytes, (await store.totals(juliet)).bytes);
    const one = client();
    box.serve(one.session);
    assert.deepEqual(one.got, ['2', '3', '4']);
    // what is on its way to one is not taken from it for another
    await keep(5, 6);
    await box.clear(arrival(9).stanzaId);
    await one.ackAll();
    await store.settled();
    await turn();
    assert.equal(box.messages, 0);
    assert.equal(box.bytes, 0);
  });

  it('does not run ahead of its client, and gives it a long queue whole', async () => {
    await keep(0, 3000);
    const one = client();
    box.serve(one.session);
    await turn();
    assert.ok(one.got.length <= 400, `${one.got.length} at once`);
    await one.ackAll();
    assert.deepEqual(one.got, numbers(0, 3000));
    await store.settled();
    assert.equal((await store.totals(juliet)).messages, 0);
  });

  it('gives each message to one of two sessions that come at once', async () => {
    await keep(0, 500);
    const [one, other] = [client(), client()];
    box.serve(one.session);
    box.serve(other.session);
    await one.ackAll();
    await other.ackAll();
    assert.deepEqual(one.got, numbers(0, 500));
    assert.deepEqual(other.got, []);
  });

  it('gives another session what the first did not take', async () => {
    await keep(0, 500);
    const one = client();
    box.serve(one.session);
    await turn();
    one.ack(100);
    one.alive = false;
    clients = [];
    const other = client();
    box.left(one.session);
    for (const answer of one.unanswered.splice(0)) answer(false);
    await turn();
    await other.ackAll();
    assert.deepEqual(other.got, numbers(100, 500));
    await store.settled();
    assert.equal((await store.totals(juliet)).messages, 0);
  });

  it('keeps what nobody took for the next login, and gives it once', async () => {
    await keep(0, 5);
    const one = client();
    box.serve(one.session);
    one.ack(2);
    one.alive = false;
    clients = [];
    box.left(one.session);
    for (const answer of one.unanswered.splice(0)) answer(false);
    await turn();
    await store.settled();
    await turn();
    assert.ok(boxes.quiet);
    const next = client();
    (await boxes.of(juliet)).serve(next.session);
    await next.ackAll();
    assert.deepEqual(next.got, ['2', '3', '4']);
  });

  it('queues what comes for a session that is being given a long queue', async () => {
    await keep(0, 1000);
    const one = client();
    box.serve(one.session);
    await turn();
    assert.ok(box.serves(one.session));
    assert.ok(!box.serves(new Client().session));
    await keep(1000, 1100);
    await one.ackAll();
    assert.deepEqual(one.got, numbers(0, 1100));
    assert.ok(!box.serves(one.session));
  });

  it('gives nobody twice what came for several while one of them was behind', async () => {
    await keep(0, 1000);
    const [slow, quick] = [client(), client()];
    box.serve(slow.session);
    await turn();
    await box.add(arrival(5000), [quick.session]);
    slow.alive = false;
    clients = [quick];
    box.left(slow.session);
    for (const answer of slow.unanswered.splice(0)) answer(false);
    await turn();
    await quick.ackAll();
    assert.deepEqual(quick.got, numbers(0, 1000));
    await store.settled();
    assert.equal((await store.totals(juliet)).messages, 0);
  });

  it('stops for a client that does not want messages any more', async () => {
    await keep(0, 1000);
    const one = client();
    box.serve(one.session);
    await turn();
    one.presence = undefined;
    box.left(one.session);
    await one.ackAll();
    const given = one.got.length;
    assert.ok(given < 1000);
    one.presence = {};
    (await boxes.of(juliet)).serve(one.session);
    await one.ackAll();
    assert.deepEqual(one.got, numbers(0, 1000));
  });

  it('does not give to another what is on its way to a session that went away but lives', async () => {
    await keep(0, 10);
    const one = client();
    box.serve(one.session);
    one.presence = undefined;
    box.left(one.session);
    const other = client();
    await turn();
    (await boxes.of(juliet)).serve(other.session);
    await other.ackAll();
    assert.deepEqual(other.got, []);
    await one.ackAll();
    await store.settled();
    assert.equal((await store.totals(juliet)).messages, 0);
  });

  it('waits for what is being written when a session comes', async () => {
    const writing = keep(0, 10);
    const one = client();
    box.serve(one.session);
    await writing;
    await one.ackAll();
    assert.deepEqual(one.got, numbers(0, 10));
  });

  it('gives what comes back from a session its place before what came later', async () => {
    await keep(10, 600);
    const one = client();
    box.serve(one.session);
    await turn();
    assert.deepEqual(one.got.slice(0, 2), ['10', '11']);
    const back = keep(0, 5);
    one.alive = false;
    clients = [];
    box.left(one.session);
    for (const answer of one.unanswered.splice(0)) answer(false);
    await back;
    const next = client();
    (await boxes.of(juliet)).serve(next.session);
    await next.ackAll();
    assert.deepEqual(next.got, [...numbers(0, 5), ...numbers(10, 600)]);
  });

  it('reads again from the beginning when something older comes while it is handing over', async () => {
    await keep(10, 600);
    const one = client();
    box.serve(one.session);
    await turn();
    await keep(0, 5);
    await one.ackAll();
    assert.deepEqual(one.got.toSorted(), [...numbers(0, 5), ...numbers(10, 600)].toSorted());
    await store.settled();
    assert.equal((await store.totals(juliet)).messages, 0);
  });

  it('waits for what is on its way from a session that has ended', async () => {
    await keep(10, 20);
    const { promise, resolve } = Promise.withResolvers<void>();
    passing = promise;
    const one = client();
    box.serve(one.session);
    await turn();
    assert.deepEqual(one.got, []);
    await keep(0, 5);
    passing = undefined;
    resolve();
    await one.ackAll();
    assert.deepEqual(one.got, [...numbers(0, 5), ...numbers(10, 20)]);
  });

  it('keeps once what comes back and waits already', async () => {
    await keep(0, 2);
    await keep(0, 3);
    assert.equal(box.messages, 3);
    const one = client();
    box.serve(one.session);
    await one.ackAll();
    assert.deepEqual(one.got, numbers(0, 3));
  });

  it('what its client has goes as soon as the storage can remove it, and is not given again until then', async () => {
    await keep(0, 2);
    const one = client();
    box.serve(one.session);
    const { remove } = store;
    store.remove = () => Promise.reject(new StorageError('locked', 'somebody else writes'));
    await one.ackAll();
    box.left(one.session);
    const other = client();
    box.serve(other.session);
    await other.ackAll();
    assert.deepEqual(other.got, []);
    assert.equal((await store.totals(juliet)).messages, 2);
    store.remove = remove;
    await until(async () => (await store.totals(juliet)).messages === 0, 'the messages to go');
  });
});
