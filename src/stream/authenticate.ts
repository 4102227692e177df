import { NS } from '../protocol/index.ts';
import type { Element, Stanza } from '../xml/index.ts';
import { type BindRequest, readBind } from './bind2.ts';
import type { UserAgent } from './clients.ts';
import { count } from './management.ts';
import { decodeResponse } from './sasl/index.ts';

/** What an <authenticate/> asks for (XEP-0388 2.2). */
export interface AuthenticateRequest {
  readonly mechanism: string;
  /** Undefined: none; 'incorrect': it is no base64. */
  readonly initial: Buffer | undefined | 'incorrect';
  readonly agent: UserAgent | undefined;
  /** XEP-0198 9.2; what of it is no number or not there is undefined. */
  readonly resume: { readonly previd: string | undefined; readonly h: number | undefined } | undefined;
  /** XEP-0386 4. */
  readonly bind: BindRequest | undefined;
  /** XEP-0484 3.3: it brings a token. */
  readonly fast: { readonly count: number | undefined; readonly invalidate: boolean } | undefined;
  /** XEP-0484 3.2: the mechanism that it wants a token for. */
  readonly requestToken: string | undefined;
  /** Why it cannot be followed. */
  readonly fault: string | undefined;
}

/** Characters of a client's name for itself or its device that are kept. */
const NAME = 100;
/** A user agent's id is a UUID; whatever else a client makes of it does, as long as it is short. */
const AGENT_ID = 100;

export function readAuthenticate(stanza: Stanza): AuthenticateRequest {
  const mechanism = stanza.attr('mechanism');
  // reconnects have no more than these, and no trees are made of them
  const fast = stanza.child('fast', NS.fast);
  const resume = stanza.child('resume', NS.sm);
  const bind = child(stanza, 'bind', NS.bind2);
  const used = stanza.kidAttr(fast, 'count');
  const times = count(used);
  let fault: string | undefined;
  if (mechanism === undefined) fault = 'Which mechanism?';
  // XEP-0484 3.3: a positive number
  else if (used !== undefined && !times) fault = "The 'count' of a token is a positive number.";
  return {
    mechanism: mechanism ?? '',
    initial: initialResponse(stanza),
    agent: userAgent(child(stanza, 'user-agent', NS.sasl2)),
    resume:
      resume === undefined
        ? undefined
        : { previd: stanza.kidAttr(resume, 'previd'), h: count(stanza.kidAttr(resume, 'h')) },
    bind: bind && readBind(bind),
    fast: fast === undefined ? undefined : { count: times, invalidate: isTrue(stanza.kidAttr(fast, 'invalidate')) },
    requestToken: stanza.kidAttr(stanza.child('request-token', NS.fast), 'mechanism'),
    fault,
  };
}

function child(stanza: Stanza, name: string, xmlns: string): Element | undefined {
  const kid = stanza.child(name, xmlns);
  return kid === undefined ? undefined : stanza.kidElement(kid);
}

/** None at all is no response, an empty element an empty one (XEP-0388 2.2). */
function initialResponse(stanza: Stanza): AuthenticateRequest['initial'] {
  const text = stanza.childText('initial-response')?.trim();
  if (text === undefined) return undefined;
  return decodeResponse(text)?.data ?? 'incorrect';
}

function userAgent(element: Element | undefined): UserAgent | undefined {
  const id = element?.attrs.id as string | undefined;
  if (!element || !id || id.length > AGENT_ID) return undefined;
  return { id, software: nameIn(element, 'software'), device: nameIn(element, 'device') };
}

/** What has no place in a line of text: white space, controls, and what turns the direction of writing. */
const UNPRINTABLE = /[\s\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu;

/** A name in one line, and not too long. */
function nameIn(element: Element, child: string): string {
  const text = element.getChildText(child);
  if (!text) return '';
  const line = text.replace(UNPRINTABLE, ' ').trim();
  return line.length <= NAME ? line : [...line].slice(0, NAME).join('');
}

/** xs:boolean. */
function isTrue(text: unknown): boolean {
  return text === 'true' || text === '1';
}
