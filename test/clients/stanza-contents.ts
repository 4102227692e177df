/* stanza sends and gets what it has no words for by fields that hold elements as they are. */
import type { Agent } from 'stanza';
import { JXT } from 'stanza';
import { escapeXml, parseElement, toWire } from '../../src/xml/index.ts';
import { Mailbox } from './person.ts';

/** An element as stanza holds it. */
interface Json {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (Json | string)[];
}

/** Children of messages besides the body, by name and namespace. */
const KNOWN: readonly (readonly [name: string, xmlns: string])[] = [
  ['x', 'jabber:x:oob'],
  ['file-sharing', 'urn:xmpp:sfs:0'],
  ['fallback', 'urn:xmpp:fallback:0'],
  ['geoloc', 'http://jabber.org/protocol/geoloc'],
  ['sticker', 'urn:xmpp:stickers:0'],
  ['reactions', 'urn:xmpp:reactions:0'],
  ['reply', 'urn:xmpp:reply:0'],
  ['replace', 'urn:xmpp:message-correct:0'],
  ['retract', 'urn:xmpp:message-retract:1'],
  ['store', 'urn:xmpp:hints'],
];
const fieldOf = (name: string): string => `raw ${name}`;

/** A message with what it holds, as XML. */
export interface Got {
  readonly id: string;
  readonly xml: string;
}

export class Contents {
  readonly got = new Mailbox<Got>('content');
  private readonly agent: Agent;

  constructor(agent: Agent) {
    this.agent = agent;
    const fields = Object.fromEntries(KNOWN.map(([name, xmlns]) => [fieldOf(name), JXT.childRawElement(xmlns, name)]));
    agent.stanzas.define(JXT.extendMessage(fields));
    agent.on('stream:data', (stanza, kind) => {
      const message = stanza as unknown as Message;
      if (kind === 'message' && message.archive === undefined && message.type === 'chat')
        this.got.put({ id: message.id, xml: xmlOf(message) });
    });
  }

  send(to: string, id: string, xml: string): void {
    const root = parseElement(toWire(`<message>${xml}</message>`), 'jabber:client');
    const fields: Record<string, unknown> = { to, id, type: 'chat' };
    for (const child of root.getChildElements()) {
      if (child.name === 'body') fields.body = child.getText();
      else fields[fieldOf(child.name)] = jsonOf(child);
    }
    this.agent.sendMessage(fields as never);
  }

  /** All of its history with somebody, in pages. */
  async read(jid: string): Promise<string[]> {
    const found: string[] = [];
    for (let after: string | undefined; ;) {
      const answer = await this.agent.searchHistory({ with: jid, paging: { max: 7, after } });
      for (const { item } of answer.results ?? []) found.push(xmlOf(item.message as unknown as Message));
      if (answer.complete === true) return found;
      after = answer.paging!.last;
    }
  }

  /** Whom somebody finds by the plain fields (XEP-0055 2.1). */
  async people(service: string, search: { nick?: string; givenName?: string; familyName?: string }) {
    const answer = await this.agent.sendIQ({ to: service, type: 'set', search } as never);
    const { items = [] } = (answer as unknown as { search: { items?: { jid: string; nick: string }[] } }).search;
    return items.map(({ jid, nick }) => [jid, nick]);
  }
}

type Message = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly type: string;
  readonly body?: string;
  readonly archive?: unknown;
};

function xmlOf(message: Message): string {
  const body = message.body === undefined ? '' : `<body>${escapeXml(message.body)}</body>`;
  const raw = KNOWN.map(([name]) => message[fieldOf(name)] as Json | undefined);
  return `<message>${body}${raw.map(json => (json === undefined ? '' : write(json))).join('')}</message>`;
}

function write(json: Json | string): string {
  if (typeof json === 'string') return escapeXml(json);
  const attributes = Object.entries(json.attributes).map(([name, value]) => ` ${name}="${escapeXml(value)}"`);
  return `<${json.name}${attributes.join('')}>${json.children.map(write).join('')}</${json.name}>`;
}

function jsonOf(element: ReturnType<typeof parseElement>): Json {
  return {
    name: element.name,
    attributes: element.attrs as Record<string, string>,
    children: element.children.map(child => (typeof child === 'string' ? child : jsonOf(child))),
  };
}
