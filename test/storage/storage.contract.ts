import assert from 'node:assert/strict';
import { type BatchInsert, type Migration, type Storage, StorageError, andThen } from '../../src/api/index.ts';
import type { BatchWriter, Transactor } from '../../src/storage/index.ts';

const fruits: Migration = {
  name: '001-fruits',
  up: async schema => {
    await schema.createTable('fruits', table => {
      table.increments('id');
      table.string('name', 100).notNullable().unique();
      table.integer('weight');
    });
  },
};
const colours: Migration = {
  name: '002-colours',
  up: async schema => {
    await schema.alterTable('fruits', table => table.string('colour', 20));
  },
};

interface Fruit {
  id: number;
  name: string;
  weight: number | null;
}

const inserting = (weight: number): BatchInsert<string> => ({
  name: `fruits of ${weight}`,
  into: 'fruits',
  columns: ['name', 'weight'],
  counted: true,
  values: name => [name, weight],
});

const turn = () => new Promise(resolve => setImmediate(resolve));

/** What every database has to do. `open` opens one place's database: what one has written, the next one finds. */
export function storageContract(place: () => Promise<() => Promise<Storage>>): void {
  let open: () => Promise<Storage>;
  let storage: Storage;
  let writer: BatchWriter<string, number>;

  const start = async () => {
    storage = await open();
    await storage.migrate('fruits', [fruits]);
    writer = storage.batch(inserting(1));
  };
  beforeEach(async () => {
    open = await place();
    await start();
  });
  afterEach(() => storage.close());

  const insert = (tx: Transactor, name: string) => tx('fruits').insert({ name, weight: 1 });
  const names = async () =>
    (await storage.read(q => q<Fruit>('fruits').orderBy('id').select('name'))).map(row => row.name);
  const bug = new Error('a bug');

  describe('migrations', () => {
    it('are applied once, in order, and by what is missing', async () => {
      await storage.transact(tx => insert(tx, 'fig'));
      await storage.migrate('fruits', [fruits]);
      await storage.migrate('fruits', [fruits, colours]);
      await storage.migrate('fruits', [fruits, colours]);
      const row = await storage.read(q => q('fruits').first());
      assert.deepEqual({ ...row }, { id: 1, name: 'fig', weight: 1, colour: null });
    });

    it('of one module are not those of another', async () => {
      const applied: string[] = [];
      const step: Migration = { name: fruits.name, up: async () => void applied.push('other') };
      await storage.migrate('other', [step]);
      await storage.migrate('other', [step]);
      assert.deepEqual(applied, ['other']);
    });

    it('of a newer program are not run over by an older one, which says so', async () => {
      await storage.migrate('fruits', [fruits, colours]);
      await assert.rejects(
        storage.migrate('fruits', [fruits]),
        (error: unknown) =>
          error instanceof StorageError && /newer than this program.*'fruits'.*002-colours/.test(error.message),
      );
      assert.deepEqual(storage.health(), { ok: true });
    });

    it('that fail leave nothing of themselves, keep those before, say which it was, and are tried again', async () => {
      let broken = true;
      const third: Migration = {
        name: '003-filling',
        up: async (_, tx) => {
          await tx('fruits').insert({ name: 'half', weight: 1 });
          if (broken) throw bug;
        },
      };
      const all = [fruits, colours, third];
      await assert.rejects(storage.migrate('fruits', all), /step '003-filling' of 'fruits' failed: .*a bug/);
      assert.deepEqual(await names(), []);
      assert.ok(await storage.read(q => q.schema.hasColumn('fruits', 'colour')));
      broken = false;
      await storage.migrate('fruits', all);
      assert.deepEqual(await names(), ['half']);
    });

    it('of the same name twice are a bug', async () => {
      await assert.rejects(storage.migrate('x', [fruits, fruits]), /'x' have the same name/);
    });
  });

  describe('transactions', () => {
    it('count whole or not at all', async () => {
      await storage.transact(async tx => {
        await insert(tx, 'fig');
        await insert(tx, 'pear');
      });
      const failing = storage.transact(async tx => {
        await insert(tx, 'plum');
        throw bug;
      });
      await assert.rejects(failing, bug);
      assert.deepEqual(await names(), ['fig', 'pear']);
    });

    it('keep others out while they wait: neither transactions nor batches nor readers come between', async () => {
      const order: string[] = [];
      const inside = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      const first = storage.transact(async tx => {
        await insert(tx, 'fig');
        inside.resolve();
        await goOn.promise;
        order.push('first');
        throw bug;
      });
      const rejected = assert.rejects(first, bug);
      await inside.promise;
      const others = [
        storage.transact(tx => insert(tx, 'pear')).then(() => order.push('second')),
        writer.write('plum').then(() => order.push('batch')),
      ];
      for (let i = 0; i < 5; i++) await turn();
      assert.deepEqual(await names(), [], 'what is not committed was seen, or somebody came between');
      const prepared = storage.prepare<{ n: number }>('SELECT COUNT(*) AS n FROM fruits');
      assert.equal(Number((await prepared.get())!.n), 0);
      goOn.resolve();
      await rejected;
      await Promise.all(others);
      assert.equal(order[0], 'first');
      // the first took back its own, and nothing of the others
      assert.deepEqual((await names()).toSorted(), ['pear', 'plum']);
    });

    it('give back a constraint as a StorageError, and the next one works', async () => {
      await storage.transact(tx => insert(tx, 'fig'));
      await assert.rejects(
        storage.transact(tx => insert(tx, 'fig')),
        (error: unknown) => error instanceof StorageError && error.kind === 'constraint',
      );
      assert.deepEqual(storage.health(), { ok: true });
      await storage.transact(tx => insert(tx, 'pear'));
      assert.deepEqual(await names(), ['fig', 'pear']);
    });

    it('name no values in the error, which goes to the log', async () => {
      await storage.transact(tx => insert(tx, 'my secret'));
      await assert.rejects(
        storage.transact(tx => insert(tx, 'my secret')),
        (error: Error) => {
          for (let e: unknown = error; e instanceof Error; e = e.cause) {
            assert.ok(!`${e.message} ${e.stack}`.includes('my secret'), e.message);
          }
          return true;
        },
      );
    });
  });

  describe('reading', () => {
    it('changes nothing', async () => {
      await assert.rejects(
        storage.read(q => q('fruits').insert({ name: 'fig' })),
        { kind: 'readonly' },
      );
      const statement = storage.prepare("INSERT INTO fruits (name) VALUES ('fig')");
      await assert.rejects(async () => statement.all());
      await assert.rejects(async () => statement.get());
      assert.deepEqual(await names(), []);
      assert.deepEqual(storage.health(), { ok: true });
    });

    it('gives the values of one column', async () => {
      const names = storage.column<string>('SELECT name FROM fruits WHERE weight > ? ORDER BY name');
      assert.deepEqual(await names.all(0), []);
      assert.equal(await names.get(0), undefined);
      await storage.transact(tx =>
        tx('fruits').insert([
          { name: 'fig', weight: 1 },
          { name: 'apple', weight: 2 },
        ]),
      );
      assert.deepEqual(await names.all(0), ['apple', 'fig']);
      assert.equal(await names.get(1), 'apple');
      const statement = storage.column("INSERT INTO fruits (name) VALUES ('fig')");
      await assert.rejects(async () => statement.all());
    });

    it('by a prepared statement gives what was committed last', async () => {
      const byName = storage.prepare<Fruit>('SELECT id, name, weight FROM fruits WHERE name = ?');
      assert.equal(await byName.get('fig'), undefined);
      assert.deepEqual(await byName.all('fig'), []);
      const id = await writer.write('fig');
      assert.deepEqual({ ...(await byName.get('fig')) }, { id, name: 'fig', weight: 1 });
      await storage.transact(tx => tx('fruits').where({ name: 'fig' }).update({ weight: 7 }));
      assert.deepEqual(
        (await byName.all('fig')).map(row => row.weight),
        [7],
      );
      await storage.migrate('fruits', [fruits, colours]);
      assert.equal((await byName.get('fig'))!.weight, 7);
    });
  });

  describe('batches', () => {
    it('keep the order of the calls, across writers, and are fewer than the rows', async () => {
      const before = storage.counts();
      const other = storage.batch(inserting(2));
      const wanted = Array.from({ length: 3000 }, (_, i) => `fruit ${i}`);
      const ids = await Promise.all(wanted.map((name, i) => (i % 2 ? writer : other).write(name)));
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      );
      assert.deepEqual(await names(), wanted);
      const after = storage.counts();
      assert.equal(after.rows - before.rows, 3000);
      assert.ok(after.batches - before.batches < 1500);
    });

    it('read what they have written', async () => {
      const reading = storage.batch<string, number>({
        name: 'reading',
        write: (tx, name) =>
          andThen(tx.run('INSERT INTO fruits (name, weight) VALUES (?, ?)', name, 5), () =>
            andThen(tx.get<{ n: number }>('SELECT COUNT(*) AS n FROM fruits'), row => Number(row!.n)),
          ),
      });
      assert.deepEqual(await Promise.all([reading.write('fig'), reading.write('pear')]), [1, 2]);
    });

    it('delete rows by the value of a column', async () => {
      const remover = storage.batch<string>({ name: 'eaten', from: 'fruits', column: 'name', value: name => name });
      await Promise.all(['fig', 'pear', 'plum'].map(name => writer.write(name)));
      assert.deepEqual(await Promise.all([remover.write('pear'), remover.write('none'), remover.write('fig')]), [
        undefined,
        undefined,
        undefined,
      ]);
      assert.deepEqual(await names(), ['plum']);
    });

    it('insert, delete and insert again what stands under one name, in that order', async () => {
      const remover = storage.batch<string>({ name: 'eaten', from: 'fruits', column: 'name', value: name => name });
      const ids = await Promise.all([writer.write('fig'), remover.write('fig'), writer.write('fig')]);
      assert.ok(ids[2] > ids[0]);
      assert.deepEqual(await names(), ['fig']);
    });

    it('lose only the rows that the database refuses', async () => {
      const results = await Promise.allSettled(['fig', 'pear', 'fig', 'plum'].map(name => writer.write(name)));
      assert.deepEqual(
        results.map(result => (result.status === 'fulfilled' ? 'kept' : (result.reason as StorageError).kind)),
        ['kept', 'kept', 'constraint', 'kept'],
      );
      assert.deepEqual(await names(), ['fig', 'pear', 'plum']);
      assert.deepEqual(storage.health(), { ok: true });
    });
  });

  describe('closing', () => {
    it('writes what it was given before, and refuses what comes after', async () => {
      const before = [writer.write('fig'), storage.transact(tx => insert(tx, 'pear')), writer.write('plum')];
      const statement = storage.prepare('SELECT * FROM fruits');
      const closing = storage.close();
      const closed = { kind: 'closed' };
      await assert.rejects(writer.write('late'), closed);
      await assert.rejects(
        storage.transact(tx => insert(tx, 'late')),
        closed,
      );
      await assert.rejects(names(), closed);
      await assert.rejects(async () => statement.get(), closed);
      assert.equal(storage.health().ok, false);
      await Promise.all(before);
      await closing;
      await storage.close();
      await start();
      assert.deepEqual((await names()).toSorted(), ['fig', 'pear', 'plum']);
    });
  });
}
