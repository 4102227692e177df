import assert from 'node:assert/strict';
import path from 'node:path';
import Database from 'better-sqlite3';
import { parseJid } from '../../src/jid/index.ts';
import { TestNode } from '../kit/node.ts';
import { ON_SERVER } from '../kit/storage.ts';

/** Rows of any table that hold this text, as 'table.column'. */
function traces(folder: string, text: string): string[] {
  const db = new Database(path.join(folder, 'posthouse.sqlite'), { readonly: true });
  try {
    const tables = db.prepare("select name from sqlite_master where type = 'table'").pluck().all() as string[];
    const found: string[] = [];
    for (const table of tables) {
      const columns = db.prepare(`select name from pragma_table_info(?)`).pluck().all(table) as string[];
      for (const column of columns) {
        const sql = `select count(*) from "${table}" where instr(cast("${column}" as blob), cast(? as blob)) > 0`;
        if (Number(db.prepare(sql).pluck().get(text)) > 0) found.push(`${table}.${column}`);
      }
    }
    return found.toSorted();
  } finally {
    db.close();
  }
}

// every table of the file is looked through
if (!ON_SERVER)
  describe('play: an account is deleted', () => {
    it('and nothing of it is left in any table but those of the archive, which are swept', async () => {
      const node = await TestNode.start({ users: ['romeo', 'juliet'] });
      try {
        const romeo = await node.login('romeo@localhost/orchard', { presence: true });
        const juliet = await node.login('juliet@localhost/balcony', { presence: true });
        const set = (payload: string) => romeo.iq('set', payload);
        await set("<query xmlns='jabber:iq:roster'><item jid='mercutio@elsewhere.example'/></query>");
        await set("<vCard xmlns='vcard-temp'><FN>R</FN></vCard>");
        await set("<query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query>");
        await set("<block xmlns='urn:xmpp:blocking'><item jid='tybalt@localhost'/></block>");
        // to himself, so that it is in nobody else's archive
        romeo.send("<message to='romeo@localhost' type='chat'><body>to himself</body></message>");
        await romeo.message();
        // somebody who asks, and whose question stands in his account alone
        await node.addUser('paris');
        const paris = await node.login('paris@localhost/x', { presence: true });
        paris.send("<presence to='romeo@localhost' type='subscribe'/>");
        await romeo.presence('paris@localhost', 'subscribe');
        await romeo.settle();
        await romeo.end();
        juliet.send("<message to='romeo@localhost' type='chat'><body>while he is away</body></message>");
        await juliet.settle();
        await paris.end();
        await juliet.end();
        // those who knew him go first: what is theirs may name him
        for (const name of ['juliet', 'paris']) await node.node.accounts.remove(parseJid(`${name}@localhost`)!);
        const before = traces(node.folder, 'romeo');
        assert(before.length >= 8, before.join());
        await node.node.accounts.remove(parseJid('romeo@localhost')!);
        await node.node.hub.settled();
        // an archive is gone at once, and its rows with the next sweep (modules/archive/store.contract.ts)
        const left = traces(node.folder, 'romeo').filter(name => !name.startsWith('archive_'));
        assert.deepEqual(left, []);
      } finally {
        await node.stop();
      }
    });
  });
