import { Agent, request } from 'node:http';
import { type Account, type Client, logIn } from './client.ts';
import type { Address } from './wire.ts';

/** Asks for slots (XEP-0363), one after the other. */
export class SlotAsker {
  private readonly client: Client;
  private readonly service: string;
  private asked = 0;

  private constructor(client: Client, service: string) {
    this.client = client;
    this.service = service;
  }

  static async open(address: Address, account: Account, domain: string): Promise<SlotAsker> {
    const plan = { domain, mechanism: 'PLAIN', resource: 'files', register: true, manage: false } as const;
    return new SlotAsker(await logIn(address, account, plan), `upload.${domain}`);
  }

  /** The addresses for PUT and GET. */
  slot(size: number): Promise<{ put: string; get: string }> {
    const { wire } = this.client;
    const id = `u${(this.asked++).toString(36).padStart(6, '0')}`;
    return new Promise((resolve, reject) => {
      let text = '';
      wire.readBy(chunk => {
        text += chunk;
        if (!text.endsWith('</iq>')) return;
        const [put, get] = [...text.matchAll(/url=['"]([^'"]+)/g)].map(match => match[1]!);
        if (put === undefined || get === undefined) reject(new Error(`no slot: ${text.slice(0, 400)}`));
        else resolve({ put, get });
      });
      wire.write(
        `<iq type='get' id='${id}' to='${this.service}'><request xmlns='urn:xmpp:http:upload:0' filename='file.bin' size='${size}'/></iq>`,
      );
    });
  }

  close(): void {
    this.client.wire.cut();
  }
}

/** One connection over which files go and come, one after the other. */
export class Transfers {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  put(url: string, body: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Length': body.length, 'Content-Type': 'application/octet-stream' };
      request(url, { method: 'PUT', agent: this.agent, headers }, response => {
        response.resume().once('end', () => {
          if (response.statusCode === 201) resolve();
          else reject(new Error(`PUT was answered ${response.statusCode}`));
        });
      })
        .once('error', reject)
        .end(body);
    });
  }

  /** Resolved with the number of bytes that came. */
  get(url: string): Promise<number> {
    return new Promise((resolve, reject) => {
      request(url, { agent: this.agent }, response => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => (bytes += chunk.length));
        response.once('end', () => {
          if (response.statusCode === 200) resolve(bytes);
          else reject(new Error(`GET was answered ${response.statusCode}`));
        });
      })
        .once('error', reject)
        .end();
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
