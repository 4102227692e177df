import { randomUUID } from 'node:crypto';
import { type Client, client, type Element, xml } from '@xmpp/client';
import { until } from '../kit/wait.ts';
import { hearHeaders } from './headers.ts';
import { type Arrive, type Contact, Mailbox, type Message, type Person, type Presence } from './person.ts';

const CARBONS = 'urn:xmpp:carbons:2';

export const arrive: Arrive = async ({ way, port, user, domain, password, resource, by }) => {
  const service = {
    STARTTLS: `xmpp://localhost:${port}`,
    'direct TLS': `xmpps://localhost:${port}`,
    WebSocket: `wss://localhost:${port}/xmpp-websocket`,
    'WebSocket without TLS': `ws://localhost:${port}/xmpp-websocket`,
    // it speaks none
    BOSH: '',
    'BOSH without TLS': '',
  }[way];
  const own = { username: user, password };
  const userAgent = xml('user-agent', { id: randomUUID() });
  const entity = client({
    service,
    domain,
    resource,
    ...own,
    userAgent,
    credentials: by && ((authenticate, mechanisms) => authenticate(own, chosen(mechanisms, by), userAgent)),
  });
  entity.reconnect.delay = 100;
  entity.timeout = 20_000; // its own 2 s are few where much goes on at once
  hearHeaders(entity);
  const person = new XmppClient(entity);
  try {
    person.jid = String(await entity.start());
  } catch (error) {
    entity.reconnect.stop();
    await entity.stop().catch(() => undefined);
    throw error;
  }
  await until(() => entity.streamManagement.enabled, 'stream management');
  await person.roster();
  await entity.send(xml('presence'));
  return person;
};

/** What it would take itself, in its order, of those of that kind. */
function chosen(mechanisms: readonly string[], by: string): string {
  const mechanism = mechanisms.find(name => name.startsWith(by));
  if (mechanism === undefined) throw new Error(`there is no ${by} among ${mechanisms.join(', ')}`);
  return mechanism;
}

class XmppClient implements Person {
  jid = '';
  readonly messages = new Mailbox<Message>('message');
  readonly presences = new Mailbox<Presence>('presence');
  readonly #client: Client;
  #ready = true;

  constructor(entity: Client) {
    this.#client = entity;
    entity.on('error', () => undefined); // a cut connection, a refused login: seen elsewhere
    entity.on('disconnect', () => (this.#ready = false));
    // after what it sends again: what is said before would come before that
    entity.streamManagement.on('resumed', () => (this.#ready = true));
    // XEP-0198 4: 0.14.0 does not count answers to its own requests; for each one, a message would come again
    entity.on('element', stanza => {
      const { streamManagement: management } = entity;
      if (management.enabled && stanza.is('iq') && ['result', 'error'].includes(stanza.attrs.type ?? '')) {
        management.inbound += 1;
      }
    });
    entity.on('stanza', stanza => {
      const { from = '', type = 'available' } = stanza.attrs;
      if (stanza.is('presence')) this.presences.put({ from, type });
      else if (stanza.is('message')) this.messages.put(message(stanza));
    });
  }

  async roster(): Promise<Contact[]> {
    const query = await this.#client.iqCaller.get(xml('query', 'jabber:iq:roster'));
    return (query?.getChildren('item') ?? []).map(({ attrs }) => ({
      jid: attrs.jid ?? '',
      subscription: attrs.subscription ?? '',
    }));
  }

  async befriend(jid: string): Promise<void> {
    await this.#client.iqCaller.set(xml('query', 'jabber:iq:roster', xml('item', { jid })));
    await this.#client.send(xml('presence', { to: jid, type: 'subscribe' }));
  }

  accept(jid: string): Promise<void> {
    return this.#client.send(xml('presence', { to: jid, type: 'subscribed' }));
  }

  say(to: string, body: string): Promise<void> {
    return this.#client.send(xml('message', { to, type: 'chat' }, xml('body', {}, body)));
  }

  async carbons(): Promise<void> {
    await this.#client.iqCaller.set(xml('enable', CARBONS));
  }

  resumed(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#client.streamManagement.once('resumed', resolve);
    this.#client.once('online', () => reject(new Error('a new session was made')));
    return promise;
  }

  get ready(): boolean {
    return this.#ready && this.#client.streamManagement.enabled;
  }

  async leave(): Promise<void> {
    this.#client.reconnect.stop();
    await this.#client.stop();
  }
}

function message(stanza: Element): Message {
  for (const carbon of ['sent', 'received'] as const) {
    const inner = stanza.getChild(carbon, CARBONS)?.getChild('forwarded')?.getChild('message');
    if (inner) return { ...message(inner), carbon };
  }
  return {
    from: stanza.attrs.from ?? '',
    body: stanza.getChildText('body') ?? '',
    delayed: stanza.getChild('delay', 'urn:xmpp:delay') !== undefined,
  };
}
