/** The part of @xmpp/client that the tests use; the package has no types of its own. */
declare module '@xmpp/client' {
  import type { EventEmitter } from 'node:events';

  export interface Element {
    readonly name: string;
    readonly attrs: Readonly<Record<string, string | undefined>>;
    is(name: string, xmlns?: string): boolean;
    getChild(name: string, xmlns?: string): Element | undefined;
    getChildren(name: string, xmlns?: string): Element[];
    getChildText(name: string, xmlns?: string): string | null;
  }

  export interface Token {
    readonly mechanism: string;
    readonly token: string;
    readonly expiry: string;
  }

  export interface Client extends EventEmitter {
    /** Milliseconds that each step of a connection may take. */
    timeout: number;
    readonly reconnect: { delay: number; stop(): void };
    readonly iqCaller: {
      get(child: Element): Promise<Element | undefined>;
      set(child: Element): Promise<Element | undefined>;
    };
    /** XEP-0484. */
    readonly fast: { saveToken(token: Token): Promise<void>; fetchToken(): Promise<Token | undefined> };
    readonly streamManagement: EventEmitter & { readonly enabled: boolean; inbound: number };
    on(event: 'element' | 'stanza', listener: (stanza: Element) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'disconnect', listener: () => void): this;
    once(event: 'disconnect' | 'online' | 'open', listener: () => void): this;
    open(options: unknown): Promise<unknown>;
    start(): Promise<{ toString(): string }>;
    stop(): Promise<unknown>;
    send(element: Element): Promise<void>;
  }

  /** Logs in by one of the mechanisms that both sides know. */
  export type Credentials = (
    authenticate: (own: object, mechanism: string, userAgent: Element) => Promise<void>,
    mechanisms: readonly string[],
  ) => Promise<void>;

  export function client(options: {
    service: string;
    domain: string;
    resource: string;
    username: string;
    password: string;
    /** XEP-0388 2.2. */
    userAgent?: Element;
    /** Instead of username and password. */
    credentials?: Credentials | undefined;
  }): Client;
  export function xml(
    name: string,
    attributes?: string | Record<string, string>,
    ...children: (Element | string)[]
  ): Element;
}
