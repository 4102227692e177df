/* What plays about inboxes have in common: asking for them, and what comes back as plain values. */
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { rsm } from './archive.ts';

export const INBOX = 'urn:xmpp:inbox:1';

/** A conversation: 'juliet@localhost 2 It is the east' has two unread, and that as its last text. */
export interface Entry {
  jid: string;
  unread: number;
  id: string | undefined;
  message: Element | undefined;
  /** The archive's id of that message. */
  result: string | undefined;
  line: string;
}

export interface Answer {
  entries: Entry[];
  lines: string[];
  total: string | undefined;
  unread: string | undefined;
  allUnread: string | undefined;
  first: string | undefined;
  index: string | undefined;
  last: string | undefined;
  count: string | undefined;
  iq: Element;
}

export function entryOf(stanza: Element): Entry | undefined {
  const entry = stanza.getChild('entry', INBOX);
  if (!entry) return undefined;
  const result = stanza.getChild('result', 'urn:xmpp:mam:2');
  const message = result?.getChild('forwarded', 'urn:xmpp:forward:0')?.getChild('message', 'jabber:client');
  const { jid, unread, id } = entry.attrs as { jid: string; unread: string; id?: string };
  const text = message ? ` ${message.getChildText('body')}` : '';
  return { jid, unread: Number(unread), id, message, result: result?.attrs.id, line: `${jid} ${unread}${text}` };
}

/** Asks for the client's own inbox: `attributes` and `paging` as they stand in XML. */
export async function askInbox(client: TestClient, attributes = '', paging?: string, to?: string): Promise<Answer> {
  const set = paging === undefined ? '' : rsm(paging);
  const iq = await client.iq('get', `<inbox xmlns='${INBOX}' ${attributes}>${set}</inbox>`, to);
  const entries: Entry[] = [];
  for (let i = 0; i < client.inbox.length;) {
    const entry = entryOf(client.inbox[i]!);
    if (!entry || client.inbox[i]!.attrs.type === 'headline') i++;
    else {
      entries.push(entry);
      client.inbox.splice(i, 1);
    }
  }
  const fin = iq.getChild('fin', INBOX);
  const page = fin?.getChild('set', 'http://jabber.org/protocol/rsm');
  return {
    entries,
    lines: entries.map(({ line }) => line),
    total: fin?.attrs.total,
    unread: fin?.attrs.unread,
    allUnread: fin?.attrs['all-unread'],
    first: page?.getChildText('first') ?? undefined,
    index: page?.getChild('first')?.attrs.index,
    last: page?.getChildText('last') ?? undefined,
    count: page?.getChildText('count') ?? undefined,
    iq,
  };
}

/** The update that says so many are unread: what changes in one go may be told in several. */
export async function updateTo(client: TestClient, jid: string, unread: number): Promise<Entry> {
  for (;;) {
    const told = await update(client, jid);
    if (told.unread === unread) return told;
  }
}

/** The next update of a conversation that the client gets without asking. */
export async function update(client: TestClient, jid: string): Promise<Entry> {
  const stanza = await client.expect(
    found => found.attrs.type === 'headline' && entryOf(found)?.jid === jid,
    `an update of ${jid}`,
  );
  return entryOf(stanza)!;
}

export const displayed = (id: string): string => `<displayed xmlns='urn:xmpp:chat-markers:0' id='${id}'/>`;
