import { type Account, type Client, logIn } from './client.ts';
import { type Address, Wire } from './wire.ts';

/** A page of an archive. */
export interface PageRequest {
  /** The correspondent, a bare JID. */
  readonly with: string | undefined;
  /** Where the page begins: behind a message, by its stanza id; at the end of the archive; or at its beginning. */
  readonly place: { readonly after: string } | 'last' | 'first';
  readonly max: number;
}

/** Asks for pages of its own account's archive (XEP-0313, XEP-0059), one after the other. */
export class PageReader {
  private readonly client: Client;
  private asked = 0;

  private constructor(client: Client) {
    this.client = client;
  }

  static async open(address: Address, account: Account, domain: string): Promise<PageReader> {
    const plan = { domain, mechanism: 'PLAIN', resource: 'page', register: false, manage: false } as const;
    return new PageReader(await logIn(address, account, plan));
  }

  /** Resolved with the number of messages and of bytes that came. */
  async page(request: PageRequest): Promise<{ messages: number; bytes: number }> {
    const { wire } = this.client;
    const id = `q${(this.asked++).toString(36).padStart(6, '0')}`;
    const before = wire.received;
    wire.write(query(id, request));
    const answer = await ended(wire, `<iq type='result' id='${id}'`, '</iq>');
    if (!answer.includes('<fin')) throw new Error(`no page: ${answer.slice(0, 400)}`);
    return { messages: answer.split('<result ').length - 1, bytes: wire.received - before };
  }

  /** All of its account's inbox (XEP-0430), in pages of so many conversations: the number of entries and of bytes. */
  async inbox(max: number): Promise<{ messages: number; bytes: number }> {
    const { wire } = this.client;
    const before = wire.received;
    let messages = 0;
    for (let after = ''; ;) {
      const id = `i${(this.asked++).toString(36).padStart(6, '0')}`;
      wire.write(
        `<iq type='get' id='${id}'><inbox xmlns='urn:xmpp:inbox:1'>` +
          `<set xmlns='http://jabber.org/protocol/rsm'><max>${max}</max>${after && `<after>${after}</after>`}</set></inbox></iq>`,
      );
      const answer = await ended(wire, `<iq type='result' id='${id}'`, '</iq>');
      const got = answer.split('<entry ').length - 1;
      messages += got;
      after = /<last>([^<]*)<\/last>/.exec(answer.slice(-1000))?.[1] ?? '';
      if (got < max || after === '') return { messages, bytes: wire.received - before };
    }
  }

  close(): void {
    this.client.wire.cut();
  }
}

function query(id: string, { with: correspondent, place, max }: PageRequest): string {
  const form = correspondent
    ? `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>` +
      `<field var='with'><value>${correspondent}</value></field></x>`
    : '';
  const at = place === 'first' ? '' : place === 'last' ? '<before/>' : `<after>${place.after}</after>`;
  return (
    `<iq type='set' id='${id}'><query xmlns='urn:xmpp:mam:2' queryid='${id}'>${form}` +
    `<set xmlns='http://jabber.org/protocol/rsm'><max>${max}</max>${at}</set></query></iq>`
  );
}

/** Asks bench/page-floor.ts for the same rows. */
export class RowReader {
  private readonly wire: Wire;

  private constructor(wire: Wire) {
    this.wire = wire;
  }

  static async open(address: Address): Promise<RowReader> {
    return new RowReader(await Wire.open(address));
  }

  /** What comes for a line. */
  async page(line: string): Promise<{ messages: number; bytes: number }> {
    const before = this.wire.received;
    this.wire.write(`${line}\n`);
    const answer = await ended(this.wire, 'END\n', '');
    return { messages: answer.split('<result ').length - 1, bytes: this.wire.received - before };
  }

  close(): void {
    this.wire.cut();
  }
}

/** What comes up to a mark, and an end behind it. Text that may be long is looked at once. */
function ended(wire: Wire, mark: string, end: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`no answer in 30 s; received: ${text.slice(-300)}`)), 30_000);
    wire.onClose = () => reject(new Error(`the connection ended; received: ${text.slice(-300)}`));
    wire.readBy(chunk => {
      const from = Math.max(0, text.length - mark.length);
      text += chunk;
      const at = text.indexOf(mark, from);
      if (at < 0 && !text.includes(mark)) return;
      if (end !== '' && !text.endsWith(end)) return;
      clearTimeout(timer);
      wire.onText = undefined;
      wire.onClose = undefined;
      resolve(text);
    });
  });
}
