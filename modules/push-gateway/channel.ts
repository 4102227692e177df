/** What a vendor's push service is to the gateway, whoever it is of. */

/** What a device is told. Its values are what XEP-0357's summary has. */
export interface Payload {
  /** The node of the device: its app knows by it which account is meant. */
  readonly node: string;
  readonly messages: number;
  readonly requests: number;
  readonly sender: string | undefined;
  readonly body: string | undefined;
  /** Somebody calls: it is of use at once or not at all. */
  readonly isCall: boolean;
}

/** Where a device is, in terms of its channel: a token, or more. */
export type Target = Readonly<Record<string, string>>;

/** What became of it. `why` is for the log: never what was sent. */
export type Outcome =
  | { readonly is: 'accepted' }
  /** The vendor knows the device no more. */
  | { readonly is: 'gone'; readonly why: string }
  /** It may go later: not before so many seconds, where those are known. `all`: nothing of the channel may. */
  | { readonly is: 'retry'; readonly why: string; readonly after?: number; readonly all?: boolean }
  /** It cannot go, and would not later: something is wrong here, or with what was sent. */
  | { readonly is: 'refused'; readonly why: string };

export const ACCEPTED: Outcome = { is: 'accepted' };

export interface PushChannel {
  /** As devices name it when they register. */
  readonly name: string;
  /** What is wrong with a target, in a sentence; undefined: nothing. */
  problem(target: Target): string | undefined;
  /** Never rejects. */
  send(target: Target, payload: Payload): Promise<Outcome>;
  close(): void;
}

/** Seconds that a vendor keeps what it cannot deliver: a call is over soon, and what came in four weeks is news no more. */
export const CALL_LIFE = 30;
export const MESSAGE_LIFE = 28 * 86_400;

/** The payload as apps get it: text by name, as XEP-0357 calls it, nothing that there is not. */
export function fieldsOf({ node, messages, requests, sender, body, isCall }: Payload): Record<string, string> {
  return {
    node,
    'message-count': String(messages),
    ...(requests > 0 && { 'pending-subscription-count': String(requests) }),
    ...(sender !== undefined && { 'last-message-sender': sender }),
    ...(body !== undefined && { 'last-message-body': body }),
    ...(isCall && { call: '1' }),
  };
}

/** Seconds of a Retry-After (RFC 9110 10.2.3), which may be a date. */
export function retryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header);
  const at = /^\s*[A-Za-z]/.test(header) ? Date.parse(header) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}
