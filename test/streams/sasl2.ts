import { createHmac } from 'node:crypto';
import { turn } from '../kit/wait.ts';
import { NS as BASE, StreamTrial, type TrialOptions } from './kit.ts';

export const NS = {
  ...BASE,
  sasl2: 'urn:xmpp:sasl:2',
  bind2: 'urn:xmpp:bind:0',
  fast: 'urn:xmpp:fast:0',
  csi: 'urn:xmpp:csi:0',
  carbons: 'urn:xmpp:carbons:2',
};

export const AGENT = 'd4565fa7-4d72-4749-b3d3-740edbf87770';
export const userAgent = (id = AGENT): string =>
  `<user-agent id='${id}'><software>AwesomeXMPP</software><device>Kiva&apos;s Phone</device></user-agent>`;

/** <authenticate/> with these children behind its initial response. */
export function authenticate(mechanism: string, data: Buffer | string | undefined, children = ''): string {
  const response =
    data === undefined ? '' : `<initial-response>${Buffer.from(data).toString('base64')}</initial-response>`;
  return `<authenticate xmlns='${NS.sasl2}' mechanism='${mechanism}'>${response}${children}</authenticate>`;
}

export function plain2(children = '', name = 'romeo', password = name): string {
  return authenticate('PLAIN', `\0${name}\0${password}`, children);
}

/** What a client that has a token sends, and what it expects to hear: draft-schmaus-kitten-sasl-ht. */
export function hashed(token: string, binding: Buffer = Buffer.alloc(0), name = 'romeo') {
  const mac = (who: string): Buffer => createHmac('sha256', token).update(who).update(binding).digest();
  return {
    first: Buffer.concat([Buffer.from(`${name}\0`), mac('Initiator')]),
    answer: mac('Responder').toString('base64'),
  };
}

/** A client with a token: what it sends to log in. */
export function byToken(token: string, children = '', attributes = '', mechanism = 'HT-SHA-256-NONE'): string {
  return authenticate(
    mechanism,
    hashed(token).first,
    `${userAgent()}<fast xmlns='${NS.fast}'${attributes}/>${children}`,
  );
}

export function bind2(children = '', tag = 'AwesomeXMPP'): string {
  return `<bind xmlns='${NS.bind2}'>${tag && `<tag>${tag}</tag>`}${children}</bind>`;
}

export const requestToken = (mechanism = 'HT-SHA-256-NONE'): string =>
  `<request-token xmlns='${NS.fast}' mechanism='${mechanism}'/>`;

/** Opens a stream under TLS and says something; what the server says to that. */
export async function say(markup: string, options: TrialOptions = {}): Promise<{ trial: StreamTrial; text: string }> {
  const trial = new StreamTrial({ secured: true, ...options }).open().say(markup);
  await settle();
  return { trial, text: trial.heard() };
}

export async function settle(): Promise<void> {
  for (let n = 0; n < 3; n++) await turn();
}
