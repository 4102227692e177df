import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuTime } from '../measure/proc.ts';
import { type Account, inParallel } from './client.ts';
import type { ReconnectsEvent } from './events.ts';
import type { Options } from './options.ts';
import { type Address, Wire } from './wire.ts';

const MECHANISM = 'HT-SHA-256-NONE';
const FAST = 'urn:xmpp:fast:0';
const SM = 'urn:xmpp:sm:3';
/** Rounds that do not count. */
const WARM = 100;

/** A client that has a token (XEP-0484) and a session to resume (XEP-0198), as a phone has. */
export class Phone {
  private readonly address: Address;
  private readonly domain: string;
  private readonly user: string;
  private readonly agent = randomUUID();
  private wire: Wire;
  private token = '';
  private resumption = '';

  private constructor(address: Address, domain: string, user: string, wire: Wire) {
    this.address = address;
    this.domain = domain;
    this.user = user;
    this.wire = wire;
  }

  /** Logs in with the password, and gets both. */
  static async make(address: Address, domain: string, { user, password }: Account): Promise<Phone> {
    const phone = new Phone(address, domain, user, await Wire.open(address));
    const bind = `<bind xmlns='urn:xmpp:bind:0'><tag>bench</tag><enable xmlns='${SM}' resume='true'/></bind>`;
    const request = `<request-token xmlns='${FAST}' mechanism='${MECHANISM}'/>`;
    const success = await phone.logIn('PLAIN', Buffer.from(`\0${user}\0${password}`), bind + request);
    phone.token = / token='([^']+)'/.exec(success)?.[1] ?? '';
    phone.resumption = /<enabled [^>]*id='([^']+)'/.exec(success)?.[1] ?? '';
    if (!phone.token || !phone.resumption) throw new Error(`no token or no resumption: ${success}`);
    return phone;
  }

  /** Loses its connection and is back: all that it has to say goes out in one write. */
  async comeBack(): Promise<void> {
    this.wire.socket.destroy();
    this.wire = await Wire.open(this.address);
    const proof = createHmac('sha256', this.token).update('Initiator').digest();
    const resume = `<fast xmlns='${FAST}'/><resume xmlns='${SM}' previd='${this.resumption}' h='0'/>`;
    const success = await this.logIn(MECHANISM, Buffer.concat([Buffer.from(`${this.user}\0`), proof]), resume);
    if (!success.includes('<resumed ')) throw new Error(`not resumed: ${success}`);
  }

  cut(): void {
    this.wire.cut();
  }

  private async logIn(mechanism: string, data: Buffer, children: string): Promise<string> {
    this.wire.write(
      `<?xml version='1.0'?><stream:stream from='${this.user}@${this.domain}' to='${this.domain}' version='1.0' ` +
        `xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>` +
        `<authenticate xmlns='urn:xmpp:sasl:2' mechanism='${mechanism}'>` +
        `<initial-response>${data.toString('base64')}</initial-response>` +
        `<user-agent id='${this.agent}'><software>bench</software></user-agent>${children}</authenticate>`,
    );
    const [answer] = await this.wire.until(/<success [^>]*>.*?<\/success>|<failure .*?<\/failure>/s);
    if (answer.startsWith('<failure')) throw new Error(answer);
    return answer;
  }
}

/** So many clients lose their connections, again and again, and come back. */
export async function reconnects(
  options: Options,
  count: number,
  rounds: number,
  width: number,
): Promise<ReconnectsEvent> {
  const { address, domain, accounts, pid } = options;
  const phones = await inParallel(count, 8, i => Phone.make(address, domain, accounts[i]!));
  // the first time by token moves it to its place, once; and a server that was just started has not compiled what it runs often
  for (let round = 0; round < WARM; round++) await inParallel(count, width, i => phones[i]!.comeBack());
  await sleep(500);
  let failed = 0;
  let firstError = '';
  const before = pid ? cpuTime(pid) : 0;
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    await inParallel(count, width, async i => {
      try {
        await phones[i]!.comeBack();
      } catch (error) {
        failed++;
        firstError ||= String(error);
      }
    });
  }
  const seconds = (performance.now() - began) / 1000;
  await sleep(300);
  const cpu = pid ? cpuTime(pid) - before : 0;
  for (const phone of phones) phone.cut();
  return { event: 'reconnects', count: count * rounds, seconds, cpuEach: cpu / (count * rounds), failed, firstError };
}
