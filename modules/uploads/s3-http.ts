import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** ms that an answer may take to begin, behind the end of what is sent. */
const PATIENCE = 30_000;

export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Requests to one server. Those without a body share connections; one with a body, which cannot be sent again, has its own. */
export class Exchanges {
  private readonly agents = {
    'http:': new http.Agent({ keepAlive: true, maxFreeSockets: 16 }),
    'https:': new https.Agent({ keepAlive: true, maxFreeSockets: 16 }),
  };

  /** Resolved when the head of the answer is there. Rejects with what the system, the signal or the body says. */
  ask({ method, url, headers, body, signal }: Exchange): Promise<IncomingMessage> {
    const protocol = url.protocol === 'https:' ? 'https:' : 'http:';
    const agent = body ? false : this.agents[protocol];
    return new Promise((resolve, reject) => {
      const request = (protocol === 'https:' ? https : http).request(url, { method, headers, agent, signal });
      let timer: NodeJS.Timeout | undefined;
      const wait = (): void => {
        timer = setTimeout(() => request.destroy(new Error('there was no answer')), PATIENCE);
      };
      request.once('response', response => {
        clearTimeout(timer);
        // it may break while it is read, which its reader sees
        response.on('error', () => {});
        resolve(response);
      });
      request.on('error', error => {
        clearTimeout(timer);
        reject(error);
      });
      if (!body) {
        wait();
        request.end();
        return;
      }
      pipeline(Readable.from(body), request).then(wait, (error: unknown) => {
        request.destroy();
        reject(error as Error);
      });
    });
  }

  close(): void {
    for (const agent of Object.values(this.agents)) agent.destroy();
  }
}
