import { type BodyHead, numberOf } from './bosh-body.ts';

/** What sessions are granted; read for each new one. */
export interface BoshPolicy {
  /** Whether there is BOSH at all. */
  readonly enabled: boolean;
  /** Seconds that a request is held at most. */
  readonly wait: number;
  /** Requests that are held at most. */
  readonly hold: number;
  /** Seconds that a client may be without a request. */
  readonly inactivity: number;
  /** Seconds between empty requests; 0: any. */
  readonly polling: number;
  /** Seconds that a client may say it will be away; 0: it may not. */
  readonly pause: number;
  /** Bytes of a request. */
  readonly body: number;
  /** Sessions of the node. */
  readonly sessions: number;
}

/** What was agreed at the session's beginning: XEP-0124 7. Times in seconds. */
export interface Terms {
  readonly wait: number;
  readonly hold: number;
  /** Requests that the client may have open, and how far ahead a rid may be. */
  readonly requests: number;
  readonly inactivity: number;
  readonly polling: number;
  readonly pause: number;
  /** Whether the client polls (XEP-0124 12). */
  readonly polls: boolean;
  /** Undefined for clients of before versions, which are told of errors by HTTP status (XEP-0124 17.1). */
  readonly ver: string | undefined;
  /** Whether the client acknowledges responses (XEP-0124 9). */
  readonly acks: boolean;
  /** Content-Type of all responses. */
  readonly content: string;
}

/** The version of XEP-0124 that is spoken here. */
const MINOR = 11;
const MOST = 65_535;
export const CONTENT = 'text/xml; charset=utf-8';
/** A media type (RFC 9110 8.3.1), with nothing in it that could end a header. */
const MEDIA_TYPE =
  /^[\w!#$&^.+-]{1,60}\/[\w!#$&^.+-]{1,60}(?:[ \t]*;[ \t]*[\w.+-]{1,40}=(?:[\w.+-]{1,40}|"[\w .+-]{1,40}")){0,4}$/;

/** Reads what a session creation request asks for; undefined when it is none. */
export function agree({ attrs }: BodyHead, policy: BoshPolicy): Terms | undefined {
  const asked = (name: string, otherwise: number): number | undefined =>
    attrs.has(name) ? numberOf(attrs.get(name)!.trim(), MOST) : otherwise;
  const wait = asked('wait', policy.wait);
  const wanted = asked('hold', 1);
  const given = attrs.get('ver');
  const ver = given === undefined ? undefined : lower(given.trim());
  const content = attrs.get('content') ?? CONTENT;
  if (wait === undefined || wanted === undefined || (given !== undefined && !ver) || !MEDIA_TYPE.test(content)) {
    return undefined;
  }
  const hold = Math.min(wanted, policy.hold);
  const polls = wait === 0 || hold === 0;
  const { polling } = policy;
  return {
    wait: Math.min(wait, policy.wait),
    hold,
    requests: hold + 1,
    // XEP-0124 12: higher for who polls, by more than the time between two requests
    inactivity: polls ? policy.inactivity + 3 * Math.max(polling, 1) : policy.inactivity,
    polling,
    pause: policy.pause,
    polls,
    ver,
    acks: attrs.get('ack') === '1',
    content,
  };
}

/** XEP-0124 7.2: our version or the client's, whichever is lower. */
function lower(version: string): string | undefined {
  const match = /^([0-9]{1,4})\.([0-9]{1,4})$/.exec(version);
  if (!match) return undefined;
  const major = Number(match[1]);
  const minor = Number(match[2]);
  return major > 1 || (major === 1 && minor > MINOR) ? `1.${MINOR}` : `${major}.${minor}`;
}
