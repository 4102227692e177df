/** What tests use of @xmpp/component, which brings no types. */
declare module '@xmpp/component' {
  import type { Element } from '@xmpp/xml';
  export interface Component {
    readonly reconnect: { stop(): void };
    readonly iqCallee: { get(xmlns: string, name: string, handler: (context: unknown) => unknown): void };
    readonly iqCaller: { get(element: Element, to?: string): Promise<Element | undefined> };
    on(event: string, listener: (argument: never) => void): void;
    start(): Promise<unknown>;
    stop(): Promise<unknown>;
    send(element: Element): Promise<void>;
  }
  export function component(options: { service: string; domain: string; password: string }): Component;
}
