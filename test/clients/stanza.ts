import type { EventEmitter } from 'node:events';
import { type Agent, createClient } from 'stanza';
import type { ReceivedMessage } from 'stanza/protocol/index.js';
import { type Arrive, type Contact, type Login, Mailbox, type Message, type Person, type Presence } from './person.ts';

export const arrive: Arrive = async login => {
  const agent = agentOf(login);
  const person = new Stanza(agent);
  await online(agent);
  person.jid = agent.jid;
  await person.roster();
  agent.sendPresence();
  return person;
};

/** A client of somebody, not connected yet. */
export function agentOf({ port, user, domain, password, resource }: Login): Agent {
  const agent = createClient({
    jid: `${user}@${domain}`,
    resource,
    password,
    transports: { websocket: `wss://localhost:${port}/xmpp-websocket`, bosh: false },
    maxReconnectBackoff: 0.1,
  });
  agent.on('connected', () => survive(agent));
  return agent;
}

/** Connects it, and lets it come back from now on. */
export async function online(agent: Agent): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  agent.once('session:started', () => resolve());
  agent.on('sasl', sasl => {
    if (sasl.type === 'failure') reject(new Error(`refused: ${sasl.condition}`));
  });
  agent.on('disconnected', () => reject(new Error('the connection ended')));
  agent.connect();
  await promise;
  agent.updateConfig({ autoReconnect: true });
}

/** Disconnects it. */
export async function offline(agent: Agent): Promise<void> {
  // it acknowledges nothing as it leaves, only what it was asked for: the server asked before it answers this
  await agent.ping();
  agent.updateConfig({ autoReconnect: false });
  const { promise, resolve } = Promise.withResolvers<void>();
  agent.once('disconnected', () => resolve());
  agent.disconnect();
  await promise;
}

/** Who comes by it, with what else it knows. */
export class Stanza implements Person {
  jid = '';
  readonly messages = new Mailbox<Message>('message');
  readonly presences = new Mailbox<Presence>('presence');
  readonly #agent: Agent;
  ready = true;

  constructor(agent: Agent) {
    this.#agent = agent;
    agent.on('--transport-disconnected', () => (this.ready = false));
    agent.on('stream:management:resumed', () => (this.ready = true));
    agent.on('presence', ({ from, type }) => this.presences.put({ from, type: type ?? 'available' }));
    // 'message' comes again for what lies in a carbon; what came over the line comes here once
    agent.on('stream:data', (stanza, kind) => {
      if (kind !== 'message') return;
      const outer = stanza as ReceivedMessage;
      // a message out of an archive is no new one
      if (outer.archive) return;
      const { carbon } = outer;
      const message = carbon ? (carbon.forward.message as ReceivedMessage) : outer;
      this.messages.put({
        from: message.from,
        body: message.body ?? '',
        delayed: message.delay !== undefined,
        ...(carbon ? { carbon: carbon.type as 'sent' | 'received' } : {}),
      });
    });
  }

  async roster(): Promise<Contact[]> {
    const { items } = await this.#agent.getRoster();
    return items.map(({ jid, subscription }) => ({ jid, subscription: subscription ?? '' }));
  }

  async befriend(jid: string): Promise<void> {
    await this.#agent.updateRosterItem({ jid, subscription: 'none' });
    this.#agent.subscribe(jid);
  }

  async accept(jid: string): Promise<void> {
    this.#agent.acceptSubscription(jid);
  }

  async say(to: string, body: string): Promise<void> {
    this.#agent.sendMessage({ to, type: 'chat', body });
  }

  async carbons(): Promise<void> {
    await this.#agent.enableCarbons();
  }

  /** Bodies of its history, and whether that is all of it (XEP-0313). */
  async history(jid?: string, max?: number): Promise<{ bodies: string[]; complete: boolean }> {
    const answer = await this.#agent.searchHistory({ with: jid, paging: { max } });
    return {
      bodies: (answer.results ?? []).map(({ item }) => item.message?.body ?? ''),
      complete: answer.complete ?? false,
    };
  }

  /** Who is archived (XEP-0441); set when given. */
  async archived(always?: string[]): Promise<string[]> {
    if (always) await this.#agent.setHistoryPreferences({ default: 'never', always, never: [] });
    return (await this.#agent.getHistoryPreferences()).always ?? [];
  }

  /** What it is told of nodes (XEP-0060): 'published news 1', 'tune Romeo ...' as it understands it. */
  readonly told = new Mailbox<{ what: string; from: string | undefined }>('an event');

  /** Shows what it wants to be told of (XEP-0115), and takes down what it is. */
  listen(): void {
    const agent = this.#agent;
    agent.on('tune', ({ jid, tune }) => this.told.put({ what: `tune ${tune.title}`, from: jid }));
    agent.on('nick', ({ jid, nick }) => this.told.put({ what: `nick ${nick}`, from: jid }));
    agent.on('avatar', ({ jid, avatars }) =>
      this.told.put({ what: `avatar ${avatars.map(({ id }) => id).join(' ')}`, from: jid }),
    );
    for (const kind of ['published', 'retracted', 'purged', 'deleted', 'subscription'] as const)
      agent.on(`pubsub:${kind}`, ({ from, pubsub }) => {
        const {
          items,
          purge,
          delete: gone,
          subscription,
        } = pubsub as {
          items?: { node: string; published?: { id: string }[]; retracted?: { id: string }[] };
          purge?: { node: string };
          delete?: { node: string };
          subscription?: { node: string; state: string };
        };
        const ids = [...(items?.published ?? []), ...(items?.retracted ?? [])].map(({ id }) => id);
        const node = items?.node ?? purge?.node ?? gone?.node ?? subscription?.node;
        this.told.put({ what: [kind, node, subscription?.state, ...ids].filter(Boolean).join(' '), from });
      });
    agent.updateCaps();
    agent.sendPresence({ legacyCapabilities: agent.disco.getCaps() });
  }

  get agent(): Agent {
    return this.#agent;
  }

  resumed(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#agent.once('stream:management:resumed', () => resolve());
    this.#agent.once('session:started', () => reject(new Error('a new session was made')));
    return promise;
  }

  leave(): Promise<void> {
    return offline(this.#agent);
  }
}

interface Transport extends EventEmitter {
  send(...parts: unknown[]): Promise<void>;
}

/**
 * Two things that 12.22.1 does not survive by itself. Who writes on a WebSocket that has just closed destroys the transport, and the agent
 * never hears of the end; and the requests for acknowledgements that cannot be written are promises that nobody looks after.
 */
function survive(agent: Agent): void {
  const holder = agent as unknown as { transport?: Transport };
  const { transport } = holder;
  if (!transport) return;
  const send = transport.send.bind(transport);
  // what it could not write it sends again when it is back
  transport.send = (...parts) => send(...parts).catch(() => undefined);
  transport.once('close', () => {
    if (holder.transport === transport) agent.emit('--transport-disconnected');
  });
}
