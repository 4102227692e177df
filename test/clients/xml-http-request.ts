import http from 'node:http';
import https from 'node:https';

/** Connections are kept, as browsers do. */
const AGENTS = { 'http:': new http.Agent({ keepAlive: true }), 'https:': new https.Agent({ keepAlive: true }) };

/** What a browser has and Node lacks, as far as strophe.js uses it. */
export class XMLHttpRequest {
  readyState = 0;
  status = 0;
  responseText = '';
  onreadystatechange: (() => void) | null = null;
  #method = '';
  #url = '';
  readonly #headers: Record<string, string> = {};
  #request: http.ClientRequest | undefined;

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
    this.#become(1);
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }

  /** As a document of the DOM that strophe.js brings along. */
  get responseXML(): unknown {
    const { DOMParser } = globalThis as unknown as {
      DOMParser: new () => { parseFromString(text: string, type: string): unknown };
    };
    return this.responseText === '' ? null : new DOMParser().parseFromString(this.responseText, 'text/xml');
  }

  getAllResponseHeaders(): string {
    return '';
  }

  overrideMimeType(): void {}

  send(data: string): void {
    const { protocol } = new URL(this.#url) as { protocol: 'http:' | 'https:' };
    const client = protocol === 'https:' ? https : http;
    const failed = (): void => {
      this.status = 0;
      this.#become(4);
    };
    this.#request = client
      .request(
        this.#url,
        {
          method: this.#method,
          headers: { ...this.#headers, 'Content-Length': Buffer.byteLength(data) },
          agent: AGENTS[protocol],
        },
        response => {
          response.setEncoding('utf8');
          response.on('data', (text: string) => (this.responseText += text));
          response.on('error', failed);
          response.on('end', () => {
            this.status = response.statusCode ?? 0;
            this.#become(4);
          });
        },
      )
      .on('error', failed)
      .end(data);
  }

  abort(): void {
    this.onreadystatechange = null;
    this.#request?.destroy();
  }

  #become(state: number): void {
    if (this.readyState === 4) return;
    this.readyState = state;
    this.onreadystatechange?.();
  }
}
