import { createHash } from 'node:crypto';
import { inParallel, logIn, type Client } from './client.ts';
import { madeAccounts } from './options.ts';
import type { Address } from './wire.ts';

const NODE = 'http://jabber.org/protocol/tune';
const FEATURES = ['http://jabber.org/protocol/disco#info', `${NODE}+notify`];
const END = '</message>';

/** What clients of this kind are and want, and what they show of it (XEP-0115 5.1). */
function kindOf(name: string): { readonly ver: string; readonly info: string; readonly caps: string } {
  const ver = createHash('sha1')
    .update(`client/pc//${name}<${FEATURES.join('<')}<`)
    .digest('base64');
  const features = FEATURES.map(feature => `<feature var='${feature}'/>`).join('');
  return {
    ver,
    info: `<identity category='client' type='pc' name='${name}'/>${features}`,
    caps: `<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://bench' ver='${ver}'/>`,
  };
}

/** Somebody whose tunes (XEP-0118) so many contacts want to be told of, as they show in their capabilities. Accounts that begin with the prefix are made for them, and are new. */
export class Tunes {
  private readonly publisher: Client;
  private readonly contacts: readonly Client[];
  /** Notifications that came. */
  told = 0;
  /** Characters of them. */
  characters = 0;
  private count = 0;
  private wanted = 0;
  private come: (() => void) | undefined;

  private constructor(publisher: Client, contacts: readonly Client[]) {
    this.publisher = publisher;
    this.contacts = contacts;
    for (const { wire } of contacts) {
      let rest = '';
      wire.readBy(chunk => {
        const text = rest + chunk;
        let from = 0;
        for (let at = text.indexOf(END); at >= 0; at = text.indexOf(END, from)) {
          from = at + END.length;
          this.told++;
        }
        rest = text.slice(Math.max(from, text.length - END.length));
        this.characters += chunk.length;
        if (this.told >= this.wanted) this.come?.();
      });
    }
  }

  static async open(address: Address, count: number, prefix: string): Promise<Tunes> {
    const plan = { domain: 'localhost', mechanism: 'PLAIN', resource: 'bench', register: true, manage: false } as const;
    const accounts = madeAccounts(prefix, count + 1);
    const [publisher, ...contacts] = await inParallel(count + 1, 8, i => logIn(address, accounts[i]!, plan));
    // RFC 6121 3.4
    for (let i = 1; i <= count; i++)
      publisher!.wire.write(`<presence to='${prefix}${i}@localhost' type='subscribed'/>`);
    await ask(publisher!, `<query xmlns='jabber:iq:roster'/>`, 'get', 'approved');
    await inParallel(count, 8, async i => {
      const { wire } = contacts[i]!;
      wire.write(`<presence to='${prefix}0@localhost' type='subscribe'/>`);
      await wire.until(/<presence[^>]*type=['"]subscribed['"]/);
    });
    // the first is asked what it wants (XEP-0115 5.4), the others are known by that
    const { ver, info, caps } = kindOf(prefix);
    const { wire } = contacts[0]!;
    wire.write(`<presence>${caps}</presence>`);
    const [asked] = await wire.until(/<iq[^>]*>\s*<query[^>]*disco#info[^>]*>/s);
    const id = /<iq[^>]*\bid=['"]([^'"]*)['"]/.exec(asked)![1];
    wire.write(
      `<iq type='result' id='${id}' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info' node='http://bench#${ver}'>${info}</query></iq>`,
    );
    for (const contact of contacts.slice(1)) contact.wire.write(`<presence>${caps}</presence>`);
    await Promise.all(contacts.map(contact => roundTrip(contact)));
    return new Tunes(publisher!, contacts);
  }

  /** Publishes one; resolved when all contacts were told of it. @throws when they are not within 30 s */
  async publish(): Promise<void> {
    const number = ++this.count;
    this.wanted = this.told + this.contacts.length;
    const all = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`told ${this.told} of ${this.wanted}`)), 30_000);
      this.come = () => {
        clearTimeout(timer);
        this.come = undefined;
        resolve();
      };
    });
    const item = `<item id='current'><tune xmlns='${NODE}'><title>Tune ${String(number).padStart(8, '0')}</title></tune></item>`;
    const request = `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${NODE}'>${item}</publish></pubsub>`;
    await Promise.all([all, ask(this.publisher, request, 'set', `p${number}`)]);
  }

  close(): void {
    for (const { wire } of [this.publisher, ...this.contacts]) wire.cut();
  }
}

/** Asks the own account, or the server. */
async function ask({ wire }: Client, payload: string, type: 'get' | 'set', id: string): Promise<void> {
  wire.write(`<iq type='${type}' id='${id}'>${payload}</iq>`);
  const [answer] = await wire.until(new RegExp(`<iq[^>]*\\bid=['"]${id}['"][^>]*>`));
  if (/type=['"]error['"]/.test(answer)) throw new Error(`${payload}: ${answer}`);
}

/** Resolved when all is handled that a client sent before. */
async function roundTrip({ wire }: Client): Promise<void> {
  wire.write(`<iq type='get' id='ping' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`);
  await wire.until(/<iq[^>]*\bid=['"]ping['"][^>]*>/);
}
