import { createHash } from 'node:crypto';
import { parseJid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';

const DOMAIN = 'elsewhere.example';

/** The configuration that lets people from elsewhere in. */
export const ELSEWHERE = `modules: { component: { components: { ${DOMAIN}: { secret: bell } } } }`;

/**
 * People of another domain, played stanza by stanza: a component (XEP-0114), whose addresses are handled as those of a remote server.
 * What it says is handled in order.
 */
export class Elsewhere {
  private readonly client: TestClient;
  private asked = 0;

  private constructor(client: TestClient) {
    this.client = client;
  }

  static async open(server: TestNode): Promise<Elsewhere> {
    const client = await TestClient.connect(server.componentPort);
    client.send(
      `<stream:stream to='${DOMAIN}' xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    while (!client.header) await new Promise(resolve => setImmediate(resolve));
    const proof = createHash('sha1')
      .update(`${client.header.get('id')}bell`)
      .digest('hex');
    client.send(`<handshake>${proof}</handshake>`);
    await client.expect(stanza => stanza.name === 'handshake', 'to be let in');
    return new Elsewhere(client);
  }

  /** Somebody's address there. */
  address(name: string): string {
    return `${name}@${DOMAIN}`;
  }

  send(xml: string): void {
    this.client.send(xml);
  }

  /** All that was sent so far has been handled, and what it led to at once has come: what is in the inbox, which is emptied. */
  async settle(): Promise<Element[]> {
    const id = `settle${++this.asked}`;
    this.send(`<iq type='get' id='${id}' from='${DOMAIN}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`);
    await this.client.expect(stanza => stanza.attrs.id === id, 'an answer');
    return this.client.inbox.splice(0);
  }

  /** Waits for presence of one bare address to another. */
  presence(from: string, to: string, type: string | undefined): Promise<Element> {
    const isOf = (text: string | undefined, bare: string): boolean => parseJid(text ?? '')?.bare === bare;
    return this.client.expect(
      ({ name, attrs }) => name === 'presence' && isOf(attrs.from, from) && isOf(attrs.to, to) && attrs.type === type,
      `presence ${type ?? 'available'} from ${from} to ${to}`,
    );
  }

  expect(test: (stanza: Element) => boolean, what: string): Promise<Element> {
    return this.client.expect(test, what);
  }

  close(): void {
    this.client.destroy();
  }
}
