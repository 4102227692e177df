import { type Account, type Client, logIn } from './client.ts';
import type { Address } from './wire.ts';

/** Searches people (XEP-0055), one search after the other. */
export class SearchReader {
  private readonly client: Client;
  private readonly service: string;
  private asked = 0;

  private constructor(client: Client, service: string) {
    this.client = client;
    this.service = service;
  }

  static async open(address: Address, account: Account, domain: string): Promise<SearchReader> {
    const plan = { domain, mechanism: 'PLAIN', resource: 'search', register: false, manage: false } as const;
    return new SearchReader(await logIn(address, account, plan), `search.${domain}`);
  }

  /** Resolved with the number of people in the answer. */
  search(typed: { readonly number: string } | { readonly nick: string }): Promise<number> {
    const { wire } = this.client;
    const id = `s${(this.asked++).toString(36).padStart(6, '0')}`;
    const query = 'number' in typed ? byForm(typed.number) : `<nick>${typed.nick}</nick>`;
    const request = `<iq type='set' id='${id}' to='${this.service}'><query xmlns='jabber:iq:search'>${query}</query></iq>`;
    return new Promise((resolve, reject) => {
      let text = '';
      wire.readBy(chunk => {
        text += chunk;
        if (!text.endsWith('</iq>')) return;
        if (!text.includes(`id='${id}'`) || text.includes("type='error'"))
          reject(new Error(`no answer: ${text.slice(0, 400)}`));
        else resolve(text.split('<item').length - 1);
      });
      // what goes out is a character a byte
      wire.write(Buffer.from(request).toString('latin1'));
    });
  }

  close(): void {
    this.client.wire.cut();
  }
}

function byForm(number: string): string {
  return (
    `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>jabber:iq:search</value></field>` +
    `<field var='x-number'><value>${number}</value></field></x>`
  );
}
