/* What plays of push notifications (XEP-0357) have in common: a push service that is a component, and phones that come and go. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import net from 'node:net';
import { type Element, Scanner, xml } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';

export const PUSH = 'urn:xmpp:push:0';
export const SERVICE = 'push.example.net';
export const NODE = 'yxs32uqsflafdk3iuqo';
export const PUBSUB = 'http://jabber.org/protocol/pubsub';
export const DATA = 'jabber:x:data';
export const OWN = 'urn:posthouse:push:0';
export const ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas';
const SM = 'urn:xmpp:sm:3';

export const form = (type: string, fields: Readonly<Record<string, string>>): string => {
  const all = Object.entries({ FORM_TYPE: type, ...fields });
  const markup = all.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`);
  return `<x xmlns='${DATA}' type='submit'>${markup.join('')}</x>`;
};
export const publishOptions = (fields: Readonly<Record<string, string>>): string =>
  form(`${PUBSUB}#publish-options`, fields);
export const enable = (inner = '', node = NODE, jid = SERVICE): string =>
  `<enable xmlns='${PUSH}' jid='${jid}' node='${node}'>${inner}</enable>`;

/** What a push service was told. */
export interface Told {
  readonly node: string | undefined;
  readonly count: number;
  readonly iq: Element;
  /** Fields of the summary, without what it is. */
  readonly summary: Readonly<Record<string, string>>;
  readonly isCall: boolean;
}

/** The push service of an app: it takes what is published, or answers as a test wants. */
export class PushService {
  /** All that was published, in order. */
  readonly told: Told[] = [];
  /** What is answered to a publish: nothing, a result (undefined), or the <error/>. */
  answer: (told: Told) => Element | 'nothing' | undefined = () => undefined;
  private readonly socket: net.Socket;
  private handshaken = false;

  private constructor(port: number, domain: string) {
    this.socket = net.connect(port, '127.0.0.1');
    const scanner = new Scanner(
      {
        onHeader: header => {
          const digest = createHash('sha1')
            .update(`${header.attrs.get('id')}sesame`)
            .digest('hex');
          this.send(`<handshake>${digest}</handshake>`);
        },
        onStanza: stanza => this.take(stanza.element()),
        onClose: () => this.socket.end(),
        onFault: fault => assert.fail(fault.text),
      },
      { bytes: 1e9, depth: 1e6, attributes: 1e6, elements: 1e9 },
    );
    this.socket.on('data', chunk => scanner.push(chunk));
    this.socket.on('error', () => {});
    this.send(
      `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`,
    );
  }

  static async open(stage: TestNode, domain = SERVICE): Promise<PushService> {
    const service = new PushService(stage.componentPort, domain);
    await until(() => service.handshaken, 'the push service to be there');
    return service;
  }

  send(markup: string): void {
    this.socket.write(markup);
  }

  destroy(): void {
    this.socket.destroy();
  }

  private take(stanza: Element): void {
    if (stanza.name === 'handshake') this.handshaken = true;
    const publish = stanza.getChild('pubsub', PUBSUB)?.getChild('publish');
    if (!publish) return;
    const notification = publish.getChild('item')!.getChild('notification', PUSH)!;
    const fields = notification.getChild('x', DATA)!.getChildren('field');
    const { FORM_TYPE: type, ...summary } = Object.fromEntries(
      fields.map(field => [field.attrs.var!, field.getChildText('value') ?? '']),
    );
    assert.equal(type, 'urn:xmpp:push:summary');
    const told: Told = {
      node: publish.attrs.node,
      count: Number(summary['message-count']),
      iq: stanza,
      summary,
      isCall: notification.getChild('call', OWN) !== undefined,
    };
    this.told.push(told);
    const answer = this.answer(told);
    if (answer !== 'nothing') this.reply(told, answer);
  }

  reply({ iq }: Told, error?: Element): void {
    const { id, from, to } = iq.attrs;
    this.send(String(xml('iq', { type: error ? 'error' : 'result', id, from: to, to: from }, error)));
  }

  /** The next notification that no test has taken yet. */
  next(what = 'a notification'): Promise<Told> {
    return until(() => this.told.shift(), what);
  }
}

export function error(condition: string, type = 'cancel'): Element {
  return xml('error', { type }, xml(condition, { xmlns: ERRORS }));
}

/** A node with a push service beside it; `options` are those of the module. */
export function street(options = '{}', more = '', users: readonly string[] = []): Promise<TestNode> {
  return TestNode.start({
    users: ['romeo', 'juliet', 'nurse', ...users],
    yaml: `modules:
  push: ${options}
  component: { components: { ${SERVICE}: { secret: sesame } } }
  ${more}
`,
  });
}

/** Makes a session wait for its client when its connection is cut (XEP-0198). */
export async function resumable(client: TestClient): Promise<string> {
  client.send(`<enable xmlns='${SM}' resume='true'/>`);
  return (await client.expect(({ name }) => name === 'enabled', 'stream management')).attrs.id!;
}

/** Cuts the connection of a session, which waits. */
export async function cut(stage: TestNode, client: TestClient): Promise<void> {
  client.destroy();
  await until(
    () => [...stage.node.sessions()].some(({ jid, connected }) => jid.full === client.jid && !connected),
    `${client.jid} to wait`,
  );
}

/** Takes a session up again on a new connection. */
export async function resume(stage: TestNode, name: string, id: string, h = 1): Promise<TestClient> {
  const client = await stage.connect();
  await client.authenticate(name);
  client.send(`<resume xmlns='${SM}' previd='${id}' h='${h}'/>`);
  await client.expect(stanza => stanza.name === 'resumed', 'the session');
  return client;
}

export const say = (client: TestClient, body: string, to = 'juliet@localhost'): void =>
  client.send(`<message to='${to}' type='chat' id='${body.length}'><body>${body}</body></message>`);
