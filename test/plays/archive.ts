/* What plays about archives have in common: asking them, and what comes back as plain values. */
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';

export const MAM = 'urn:xmpp:mam:2';

export interface Result {
  /** The archive's id. */
  id: string;
  /** Who sent it to whom. */
  from: string;
  to: string;
  body: string;
  stamp: string;
  message: Element;
  result: Element;
}

export interface Page {
  results: Result[];
  bodies: string[];
  /** The answer to the query. */
  iq: Element;
  complete: boolean;
  first: string | undefined;
  last: string | undefined;
  index: string | undefined;
  count: string | undefined;
}

/** A query's form: `with: 'romeo@localhost'`; a list for several values. */
export function form(fields: Record<string, string | readonly string[]>): string {
  const list = Object.entries(fields).map(
    ([name, value]) =>
      `<field var='${name}'>${[value]
        .flat()
        .map(text => `<value>${text}</value>`)
        .join('')}</field>`,
  );
  return `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${MAM}</value></field>${list.join('')}</x>`;
}

export const rsm = (content: string): string => `<set xmlns='http://jabber.org/protocol/rsm'>${content}</set>`;

let queries = 0;

/** Asks the client's own archive, and waits for the end of the results. */
export async function ask(client: TestClient, inner = '', to?: string): Promise<Page> {
  const queryId = `f${++queries}`;
  const iq = await client.iq('set', `<query xmlns='${MAM}' queryid='${queryId}'>${inner}</query>`, to);
  const results: Result[] = [];
  for (const stanza of await client.settle()) {
    const result = stanza.getChild('result', MAM);
    if (result?.attrs.queryid !== queryId) continue;
    const forwarded = result.getChild('forwarded', 'urn:xmpp:forward:0')!;
    const message = forwarded.getChild('message', 'jabber:client')!;
    results.push({
      id: result.attrs.id!,
      from: message.attrs.from!,
      to: message.attrs.to!,
      body: message.getChildText('body') ?? '',
      stamp: forwarded.getChild('delay', 'urn:xmpp:delay')!.attrs.stamp!,
      message,
      result,
    });
  }
  const fin = iq.getChild('fin', MAM);
  const set = fin?.getChild('set', 'http://jabber.org/protocol/rsm');
  return {
    results,
    bodies: results.map(({ body }) => body),
    iq,
    complete: fin?.attrs.complete === 'true',
    first: set?.getChildText('first') ?? undefined,
    last: set?.getChildText('last') ?? undefined,
    index: set?.getChild('first')?.attrs.index,
    count: set?.getChildText('count') ?? undefined,
  };
}

/** The id that a message says it has in that archive (XEP-0359). */
export function idBy(message: Element, account: string): string | undefined {
  return message.getChildren('stanza-id', 'urn:xmpp:sid:0').find(({ attrs }) => attrs.by === account)?.attrs.id;
}
