import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import type { Operated } from './program.ts';

const SM = 'urn:xmpp:sm:3';

/** A client that keeps count for stream management (XEP-0198) and acknowledges when it is told to. */
export class Person {
  client!: TestClient;
  /** Stanzas of the session that came. */
  handled = 0;
  private previd = '';
  private readonly node: Operated;
  private readonly full: string;

  constructor(node: Operated, full: string) {
    this.node = node;
    this.full = full;
  }

  private get name(): string {
    return this.full.split('@')[0]!;
  }

  private async connect(): Promise<void> {
    this.client = await this.node.connect();
    await this.client.authenticate(this.name);
  }

  async begin(resource: string): Promise<this> {
    await this.connect();
    await this.client.bind(resource);
    this.client.send(`<enable xmlns='${SM}' resume='true'/>`);
    this.previd = (await this.client.expect(({ name }) => name === 'enabled', 'stream management')).attrs.id!;
    this.count();
    return this;
  }

  /** The answer to <resume/>. */
  async resume(): Promise<Record<string, string>> {
    await this.connect();
    this.client.send(`<resume xmlns='${SM}' previd='${this.previd}' h='${this.handled}'/>`);
    const answer = await this.client.expect(({ name }) => name === 'resumed' || name === 'failed', 'a resumption');
    assert.equal(answer.name, 'resumed', answer.toString());
    for (const { name } of this.client.inbox) if (!/^[ra]$/.test(name)) this.handled++;
    this.count();
    return answer.attrs as Record<string, string>;
  }

  private count(): void {
    const { inbox } = this.client;
    inbox.push = (...stanzas) => {
      for (const stanza of stanzas) if (!/^[ra]$/.test(stanza.name)) this.handled++;
      return Array.prototype.push.call(inbox, ...stanzas);
    };
  }

  say(to: string, ...bodies: string[]): void {
    for (const body of bodies)
      this.client.send(`<message type='chat' to='${to}' id='${body}'><body>${body}</body></message>`);
  }

  /** What the server says that it has handled, when it is asked. */
  async acknowledged(): Promise<string> {
    this.client.send(`<r xmlns='${SM}'/>`);
    return (await this.client.expect(({ name }) => name === 'a', 'an acknowledgement')).attrs.h!;
  }

  acknowledge(): void {
    this.client.send(`<a xmlns='${SM}' h='${this.handled}'/>`);
  }

  /** Bodies of all messages that come until the server has answered. */
  async heard(): Promise<string[]> {
    const stanzas = await this.client.settle();
    return stanzas.filter(({ name }) => name === 'message').map(stanza => stanza.getChildText('body') ?? 'without');
  }
}
