import { Scram, type ScramHash, type ScramKeys } from './scram.ts';
import { Wire, type Address } from './wire.ts';

export type Mechanism = 'PLAIN' | 'SCRAM-SHA-1' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

export interface Account {
  readonly user: string;
  readonly password: string;
  readonly keys: ScramKeys;
}

/** What the server answered to a wrong password, or another failure of SASL. */
export class LoginRefused extends Error {}

const hashes: Record<Exclude<Mechanism, 'PLAIN'>, ScramHash> = {
  'SCRAM-SHA-1': 'sha1',
  'SCRAM-SHA-256': 'sha256',
  'SCRAM-SHA-512': 'sha512',
};

/** As little of an XMPP client as a load generator needs; every step waits for the server's answer. */
export class Client {
  readonly wire: Wire;
  readonly account: Account;
  readonly domain: string;
  /** The full JID after `bind`. */
  jid = '';
  features = '';
  /** XEP-0198: the id that resumes this session, empty when it cannot be. */
  resumption = '';

  private constructor(wire: Wire, account: Account, domain: string) {
    this.wire = wire;
    this.account = account;
    this.domain = domain;
  }

  /** Connects and opens a stream up to its features. */
  static async open(address: Address, account: Account, domain: string): Promise<Client> {
    const client = new Client(await Wire.open(address), account, domain);
    await client.header();
    return client;
  }

  async header(): Promise<void> {
    this.wire.write(
      `<?xml version='1.0'?><stream:stream to='${this.domain}' version='1.0' xml:lang='en' ` +
        `xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    this.features = (await this.wire.until(/<stream:features>.*?<\/stream:features>|<stream:features\/>/s))[0];
  }

  /** XEP-0077 3.1.1. An account that exists already is as good. */
  async register(): Promise<void> {
    const { user, password } = this.account;
    this.wire.write(
      `<iq type='set' id='reg1'><query xmlns='jabber:iq:register'>` +
        `<username>${user}</username><password>${password}</password></query></iq>`,
    );
    const answer = (await this.wire.until(iqAnswer('reg1')))[0];
    if (/type=['"]error['"]/.test(answer) && !answer.includes('<conflict')) throw new Error(`registration: ${answer}`);
  }

  async authenticate(mechanism: Mechanism): Promise<void> {
    const { user, password, keys } = this.account;
    const auth = (text: string): boolean =>
      this.wire.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='${mechanism}'>${text}</auth>`);
    if (mechanism === 'PLAIN') {
      auth(Buffer.from(`\0${user}\0${password}`).toString('base64'));
      await this.outcome();
    } else {
      const scram = new Scram(hashes[mechanism], user, password, keys);
      auth(scram.first());
      const challenge = await this.wire.until(/<challenge[^>]*>([^<]*)<\/challenge>|<failure.*?<\/failure>/s);
      if (challenge[1] === undefined) throw new LoginRefused(challenge[0]);
      const final = await scram.final(challenge[1]);
      this.wire.write(`<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${final}</response>`);
      if (!scram.verify(await this.outcome())) throw new Error('the server does not know the key');
    }
    await this.header();
  }

  private async outcome(): Promise<string> {
    const answer = await this.wire.until(/<success[^>]*\/>|<success[^>]*>([^<]*)<\/success>|<failure.*?<\/failure>/s);
    if (answer[0].startsWith('<failure')) throw new LoginRefused(answer[0]);
    return answer[1] ?? '';
  }

  async bind(resource: string): Promise<void> {
    this.wire.write(
      `<iq type='set' id='bind1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>` +
        `<resource>${resource}</resource></bind></iq>`,
    );
    const answer = (await this.wire.until(iqAnswer('bind1')))[0];
    const jid = /<jid>([^<]*)<\/jid>/.exec(answer)?.[1];
    if (!jid) throw new Error(`bind: ${answer}`);
    this.jid = jid;
  }

  /** XEP-0198 3: acknowledgements, and resumption where the server offers it. */
  async manage(): Promise<void> {
    this.wire.write(`<enable xmlns='urn:xmpp:sm:3' resume='true'/>`);
    const answer = (await this.wire.until(/<enabled[^>]*>|<failed.*?<\/failed>/s))[0];
    if (answer.startsWith('<failed')) throw new Error(`stream management: ${answer}`);
    this.resumption = /\bid=['"]([^'"]*)['"]/.exec(answer)?.[1] ?? '';
  }

  /** XEP-0198 5, on a fresh authenticated stream. False: the server no longer has that session. */
  async resume(id: string, handled: number): Promise<boolean> {
    this.wire.write(`<resume xmlns='urn:xmpp:sm:3' previd='${id}' h='${handled}'/>`);
    const answer = (await this.wire.until(/<resumed[^>]*>|<failed.*?<\/failed>|<failed[^>]*\/>/s))[0];
    return answer.startsWith('<resumed');
  }

  available(): void {
    this.wire.write('<presence/>');
  }

  /** Ends the stream as RFC 6120 4.4 wants it, and waits at most 2 s for the other side's end. */
  close(): Promise<void> {
    return new Promise(resolve => {
      if (this.wire.closed) return resolve();
      const timer = setTimeout(() => this.wire.cut(), 2_000);
      this.wire.onText = text => {
        if (text.includes('</stream:stream>')) this.wire.socket.end();
      };
      this.wire.onClose = () => {
        clearTimeout(timer);
        resolve();
      };
      this.wire.write('</stream:stream>');
    });
  }
}

function iqAnswer(id: string): RegExp {
  return new RegExp(`<iq[^>]*\\bid=['"]${id}['"][^>]*/>|<iq[^>]*\\bid=['"]${id}['"][^>]*>.*?</iq>`, 's');
}

export interface LoginPlan {
  readonly domain: string;
  readonly mechanism: Mechanism;
  readonly resource: string;
  readonly register: boolean;
  readonly manage: boolean;
}

/** A whole login: an available session that can chat. */
export async function logIn(address: Address, account: Account, plan: LoginPlan): Promise<Client> {
  const client = await Client.open(address, account, plan.domain);
  try {
    if (plan.register) await client.register();
    await client.authenticate(plan.mechanism);
    await client.bind(plan.resource);
    if (plan.manage) await client.manage();
    client.available();
    return client;
  } catch (error) {
    client.wire.cut();
    throw error;
  }
}

/** Runs the jobs, so many at a time, and returns their results in order. */
export async function inParallel<T>(count: number, width: number, job: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      results[index] = await job(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, work));
  return results;
}
