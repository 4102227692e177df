import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

export const ROMEO = 'romeo@localhost';
export const JULIET = 'juliet@localhost';

export interface Verona {
  readonly stage: TestNode;
  /** romeo@localhost/orchard, available. */
  readonly romeo: TestClient;
  /** juliet@localhost/balcony, available; she may not see his presence. */
  readonly juliet: TestClient;
}

/** A node with two who are there. */
export async function verona(yaml?: string): Promise<Verona> {
  const stage = await TestNode.start({ users: ['romeo', 'juliet'], yaml });
  const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
  const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
  return { stage, romeo, juliet };
}

export const INFO = "<query xmlns='http://jabber.org/protocol/disco#info'/>";

export function ok(answer: Element): Element {
  assert.equal(answer.attrs.type, 'result', String(answer));
  return answer;
}

/** What disco's answer says. */
export function features(answer: Element): (string | undefined)[] {
  return ok(answer)
    .getChild('query')!
    .getChildren('feature')
    .map(({ attrs }) => attrs.var);
}

/** Whoever asks learns the same of an account that is there and of one that is not. */
export async function same(ask: (account: string) => Promise<Element>, there: string, absent: string): Promise<void> {
  const text = async (account: string) =>
    String(await ask(account))
      .replaceAll(account, 'ACCOUNT')
      .replaceAll(/id="q\d+"/g, '');
  assert.equal(await text(there), await text(absent));
}
