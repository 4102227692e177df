import { inParallel, logIn, type Client } from './client.ts';
import { madeAccounts } from './options.ts';
import type { Address } from './wire.ts';

const COMMANDS = 'http://jabber.org/protocol/commands';
const GATEWAY = 'push.localhost';
const OPTIONS = 'http://jabber.org/protocol/pubsub#publish-options';

/** How a device registers with the push gateway: a command, and the fields of its form. */
export interface Registering {
  readonly command: string;
  readonly fields: Readonly<Record<string, string>>;
}

const form = (fields: Readonly<Record<string, string>>): string =>
  `<x xmlns='jabber:x:data' type='submit'>${Object.entries(fields)
    .map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`)
    .join('')}</x>`;

/** Users whose phones are registered for notifications, and sleep; and somebody who writes to all of them. Their accounts are new. */
export class Phones {
  readonly count: number;
  private readonly writer: Client;
  private readonly prefix: string;
  private said = 0;

  private constructor(writer: Client, prefix: string, count: number) {
    this.writer = writer;
    this.prefix = prefix;
    this.count = count;
  }

  static async open(
    address: Address,
    prefix: string,
    count: number,
    registering: (i: number) => Registering,
  ): Promise<Phones> {
    const plan = { domain: 'localhost', mechanism: 'PLAIN', resource: 'phone', register: true, manage: false } as const;
    const accounts = madeAccounts(prefix, count + 1);
    await inParallel(count, 8, async i => {
      const client = await logIn(address, accounts[i]!, plan);
      const { command, fields } = registering(i);
      const execute = `<command xmlns='${COMMANDS}' node='${command}' action='execute'>${form(fields)}</command>`;
      client.wire.write(`<iq type='set' id='p1' to='${GATEWAY}'>${execute}</iq>`);
      const answer = (await client.wire.until(/<iq[^>]*id=['"]p1['"][^>]*>.*?<\/iq>/s))[0];
      const value = (name: string): string => {
        const found = new RegExp(`var=['"]${name}['"][^>]*><value>([^<]*)<`).exec(answer)?.[1];
        if (found === undefined) throw new Error(`registration: ${answer}`);
        return found;
      };
      const options = form({ FORM_TYPE: OPTIONS, secret: value('secret') });
      client.wire.write(
        `<iq type='set' id='p2'><enable xmlns='urn:xmpp:push:0' jid='${GATEWAY}' node='${value('node')}'>${options}</enable></iq>`,
      );
      const enabled = (await client.wire.until(/<iq[^>]*id=['"]p2['"][^>]*>/))[0];
      if (!/type=['"]result['"]/.test(enabled)) throw new Error(`enabling: ${enabled}`);
      await client.close();
    });
    return new Phones(await logIn(address, accounts[count]!, plan), prefix, count);
  }

  /** Writes to each of them. */
  tell(): void {
    const body = `It is the ${++this.said}th time`;
    for (let i = 0; i < this.count; i++)
      this.writer.wire.write(
        `<message to='${this.prefix}${i}@localhost' type='chat' id='t${i}'><body>${body}</body></message>`,
      );
  }

  close(): void {
    this.writer.wire.cut();
  }
}
