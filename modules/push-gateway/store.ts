import { createHash } from 'node:crypto';
import {
  andThen,
  type MaybePromise,
  type Statement,
  type Storage,
  type StoreDefinition,
  type Transactor,
} from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { Target } from './channel.ts';
import type { Device } from './device.ts';

const TABLE = 'push_devices';

interface Row {
  readonly node: string;
  readonly owner: string;
  readonly owner_text: string;
  readonly channel: string;
  readonly name: string;
  readonly target: string;
  readonly secret: string;
  readonly registered_at: number;
}

/** Addresses of other servers may be longer than what every database can index. */
function keyOf(bare: string): string {
  return createHash('sha256').update(bare).digest('base64url');
}

function deviceOf(row: Row): Device {
  return {
    node: row.node,
    owner: parseJid(row.owner_text)!,
    channel: row.channel,
    name: row.name,
    target: JSON.parse(row.target) as Target,
    secret: row.secret,
    registeredAt: Number(row.registered_at),
  };
}

/** The devices that can be told, by node. */
export class DeviceStore {
  private readonly storage: Storage;
  private readonly one: Statement<Row>;

  constructor(storage: Storage) {
    this.storage = storage;
    this.one = storage.prepare(`select * from ${TABLE} where node = ?`);
  }

  get(node: string): MaybePromise<Device | undefined> {
    return andThen(this.one.get(node), row => row && deviceOf(row));
  }

  /** Those of an account, in the order of their registration. */
  async of(owner: Jid): Promise<Device[]> {
    const rows = await this.storage.read(q =>
      q<Row>(TABLE)
        .where({ owner: keyOf(owner.bare) })
        .orderBy([{ column: 'registered_at' }, { column: 'node' }]),
    );
    return rows.map(deviceOf);
  }

  /**
   * Registers a device. One that its owner has registered on that channel by that name keeps its node and its secret, and has another
   * target. Of an account's others the oldest go where there would be more than `most`. As it is then, and the nodes of those that went.
   */
  put(device: Device, most: number): Promise<{ device: Device; gone: string[] }> {
    const { owner, channel, name } = device;
    return this.storage.transact(async tx => {
      const all = await of(tx, owner).orderBy([{ column: 'registered_at' }, { column: 'node' }]);
      const known = all.find(row => row.channel === channel && row.name === name);
      const kept: Device = known ? { ...device, node: known.node, secret: known.secret } : device;
      const others = all.filter(row => row !== known).map(row => row.node);
      const gone = others.slice(0, Math.max(0, others.length + 1 - most));
      const away = known ? [...gone, known.node] : gone;
      if (away.length > 0) await tx(TABLE).whereIn('node', away).delete();
      const row: Row = {
        node: kept.node,
        owner: keyOf(owner.bare),
        owner_text: owner.bare,
        channel,
        name,
        target: JSON.stringify(kept.target),
        secret: kept.secret,
        registered_at: kept.registeredAt,
      };
      await tx(TABLE).insert(row);
      return { device: kept, gone };
    });
  }

  /** Whether there was such a device. `target`: only while it is this one. */
  async remove(node: string, target?: Target): Promise<boolean> {
    const where = target === undefined ? { node } : { node, target: JSON.stringify(target) };
    return (await this.storage.transact<number>(tx => tx<Row>(TABLE).where(where).delete())) > 0;
  }

  async removeAll(owner: Jid): Promise<void> {
    await this.storage.transact(tx => of(tx, owner).delete());
  }
}

function of(tx: Transactor, owner: Jid) {
  return tx<Row>(TABLE).where({ owner: keyOf(owner.bare) });
}

export const deviceStore: StoreDefinition<DeviceStore> = {
  migrations: [
    {
      name: '001-devices',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.string('node', 43).primary();
          table.string('owner', 43).notNullable();
          table.text('owner_text').notNullable();
          table.string('channel', 64).notNullable();
          table.text('name').notNullable();
          table.text('target', 'mediumtext').notNullable();
          table.string('secret', 64).notNullable();
          table.bigInteger('registered_at').notNullable();
          table.index(['owner']);
        });
      },
    },
  ],
  open: storage => new DeviceStore(storage),
};
