/**
 * The floor of a page: what reading rows of an archive and writing them to a socket costs, and no more.
 *
 *   node bench/page-floor.ts PORT DATABASE
 *
 * A request is a line, `owner peer after before limit direction`, with `-` for no peer. The answer is each row's stanza between as many
 * constant characters as the envelope of an archive's result has, in one write, and `END`. `inbox owner` asks for the last message of each
 * of its conversations, and how many came in: likewise, a write for each 250.
 */
import Database from 'better-sqlite3';
import { createServer } from 'node:net';
import { ADDRESSES, ENTRIES, INCOMING_TEXT, MESSAGES } from '../modules/archive/schema.ts';

interface Row {
  readonly id: number;
  readonly tail: string;
  readonly flags: number;
  readonly stanza: string;
}

const [port, file] = process.argv.slice(2);
const db = new Database(file!, { readonly: true });
// as src/storage/connections.ts has it
db.pragma('cache_size = -16000');
const statement = (conversation: string, order: string): Database.Statement =>
  db.prepare(
    `select e.id as id, e.flags as flags, m.tail as tail, m.stanza as stanza from ${ENTRIES} e join ${MESSAGES} m on m.id = e.id ` +
      `where owner = ?${conversation} and e.id > ? and e.id < ? order by e.id ${order} limit ?`,
  );
const ways = {
  forwards: { all: statement('', 'asc'), conversation: statement(' and peer = ?', 'asc') },
  backwards: { all: statement('', 'desc'), conversation: statement(' and peer = ?', 'desc') },
};

const among = `from ${ENTRIES} where owner = @owner and peer`;
// one step of an index for each correspondent
const inbox = db.prepare(
  `with recursive c(peer) as (select min(peer) ${among} > 0 union all select (select min(peer) ${among} > c.peer) from c where peer is not null)
   select a.jid as jid, m.id as id, m.tail as tail, m.stanza as stanza,
     (select count(*) ${among} = c.peer and flags = ${INCOMING_TEXT}) as unread
   from c join ${MESSAGES} m on m.id = (select max(id) ${among} = c.peer) join ${ADDRESSES} a on a.id = c.peer`,
);
const TOGETHER = 250;

const ENVELOPE =
  `<message from='bench0@localhost' to='bench0@localhost/page'><result xmlns='urn:xmpp:mam:2' queryid='q000000' id='000000000000000000000'>` +
  `<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00.000Z'/>` +
  " xmlns='jabber:client'";
const CLOSE = '</forwarded></result></message>';
const ENTRY = `<entry xmlns='urn:xmpp:inbox:1' jid='peer0000@localhost' unread='00' id='000000000000000000000'/>`;

createServer(socket => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  let rest = '';
  socket.on('data', chunk => {
    rest += chunk.latin1Slice();
    const end = rest.indexOf('\n');
    if (end < 0) return;
    const [owner, peer, after, before, limit, direction] = rest.slice(0, end).trim().split(' ');
    rest = rest.slice(end + 1);
    if (owner === 'inbox') {
      const rows = inbox.all({ owner: Number(peer) }) as Row[];
      for (let i = 0; i < rows.length; i += TOGETHER) {
        let part = '';
        for (const { stanza } of rows.slice(i, i + TOGETHER)) part += ENVELOPE + stanza + CLOSE + ENTRY;
        socket.write(part);
      }
      socket.write('END\n');
      return;
    }
    const way = ways[direction as 'forwards' | 'backwards'];
    const bounds = [Number(after), Number(before), Number(limit)];
    const rows = (
      peer === '-'
        ? way.all.all(Number(owner), ...bounds)
        : way.conversation.all(Number(owner), Number(peer), ...bounds)
    ) as Row[];
    let answer = '';
    for (const { stanza } of rows) answer += ENVELOPE + stanza + CLOSE;
    socket.write(`${answer}END\n`);
  });
}).listen({ port: Number(port), host: '127.0.0.1' });
