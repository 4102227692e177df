import { createHash } from 'node:crypto';
import type { Migration } from '../../src/api/index.ts';

export const NODES = 'pubsub_nodes';
export const ITEMS = 'pubsub_items';
export const AFFILIATIONS = 'pubsub_affiliations';
export const SUBSCRIPTIONS = 'pubsub_subscriptions';
export const REDIRECTS = 'pubsub_redirects';

/** Names, item ids and addresses may be longer than an index takes, or differ by spaces at the end, which MySQL does not see. */
export function keyOf(text: string): string {
  const isKey = text.length <= 128 && !text.startsWith('#') && !text.endsWith(' ');
  return isKey ? text : `#${createHash('sha256').update(text).digest('hex')}`;
}

export const migrations: readonly Migration[] = [
  {
    name: '001-pubsub',
    up: async schema => {
      await schema.createTable(NODES, table => {
        table.increments('id');
        // the bare JID of an account, or the domain of a service
        table.string('service', 191).notNullable();
        table.string('name_key', 128).notNullable();
        table.text('name').notNullable();
        table.string('creator_key', 128).notNullable();
        table.text('creator').notNullable();
        table.bigInteger('created_at').notNullable();
        table.text('config', 'mediumtext').notNullable();
        table.unique(['service', 'name_key']);
        table.index(['service', 'creator_key']);
      });
      await schema.createTable(ITEMS, table => {
        // in the order of publication: what is published again is the newest again
        table.bigIncrements('id');
        table.integer('node').notNullable();
        table.string('item_key', 128).notNullable();
        table.text('item').notNullable();
        table.text('publisher').notNullable();
        table.bigInteger('published_at').notNullable();
        table.text('payload', 'mediumtext').notNullable();
        table.unique(['node', 'item_key']);
        table.index(['node', 'id']);
      });
      await schema.createTable(AFFILIATIONS, table => {
        table.integer('node').notNullable();
        table.string('entity_key', 128).notNullable();
        table.text('entity').notNullable();
        table.string('affiliation', 16).notNullable();
        table.primary(['node', 'entity_key']);
        table.index(['entity_key']);
      });
      await schema.createTable(SUBSCRIPTIONS, table => {
        table.integer('node').notNullable();
        table.string('jid_key', 128).notNullable();
        table.text('jid').notNullable();
        // the bare JID of the subscriber
        table.string('entity_key', 128).notNullable();
        table.string('state', 16).notNullable();
        table.text('options', 'mediumtext').notNullable();
        table.primary(['node', 'jid_key']);
        table.index(['entity_key']);
      });
    },
  },
  {
    name: '002-redirects',
    up: async schema => {
      await schema.createTable(REDIRECTS, table => {
        table.increments('id');
        table.string('service', 191).notNullable();
        table.string('name_key', 128).notNullable();
        table.text('uri').notNullable();
        // the bare JID of who deleted the node; '' when that account is no more
        table.string('owner_key', 128).notNullable();
        table.bigInteger('created_at').notNullable();
        table.unique(['service', 'name_key']);
        table.index(['service', 'id']);
        table.index(['created_at']);
        table.index(['owner_key']);
      });
    },
  },
];
