import { type Element, xml } from '../xml/index.ts';
import { NS } from './namespaces.ts';

export type ErrorType = 'auth' | 'cancel' | 'continue' | 'modify' | 'wait';

/** RFC 6120 8.3.3: the conditions, each with the type that its text associates with it. */
const TYPES = {
  'bad-request': 'modify',
  conflict: 'cancel',
  'feature-not-implemented': 'cancel',
  forbidden: 'auth',
  gone: 'cancel',
  'internal-server-error': 'cancel',
  'item-not-found': 'cancel',
  'jid-malformed': 'modify',
  'not-acceptable': 'modify',
  'not-allowed': 'cancel',
  'not-authorized': 'auth',
  'policy-violation': 'modify',
  'recipient-unavailable': 'wait',
  redirect: 'modify',
  'registration-required': 'auth',
  'remote-server-not-found': 'cancel',
  'remote-server-timeout': 'wait',
  'resource-constraint': 'wait',
  'service-unavailable': 'cancel',
  'subscription-required': 'auth',
  'undefined-condition': 'modify',
  'unexpected-request': 'wait',
} as const satisfies Record<string, ErrorType>;

export type StanzaErrorCondition = keyof typeof TYPES;

export interface StanzaErrorDetails {
  /** A sentence for the person or the log, in English. */
  text?: string;
  /** Where it is now, of `gone` and `redirect` (RFC 6120 8.3.3.5, 8.3.3.14). */
  uri?: string;
  /** Other than the condition's usual type. */
  type?: ErrorType;
  /** An application-specific condition (RFC 6120 8.3.4). */
  application?: Element;
  /** Whether it goes back without what it answers, which may hold a password. */
  alone?: boolean;
  /** The address of who refuses, where that is not who was asked (RFC 6120 8.3.1). */
  by?: string;
  /** What goes back in the place of what it answers: the part of it that is refused. */
  content?: Element;
}

/** An answer that refuses, as a value: returned, never thrown. RFC 6120 8.3. */
export class StanzaError {
  readonly condition: StanzaErrorCondition;
  readonly type: ErrorType;
  readonly text: string | undefined;
  readonly uri: string | undefined;
  readonly application: Element | undefined;
  readonly alone: boolean;
  readonly by: string | undefined;
  readonly content: Element | undefined;

  constructor(condition: StanzaErrorCondition, details: StanzaErrorDetails = {}) {
    this.condition = condition;
    this.type = details.type ?? TYPES[condition];
    this.text = details.text;
    this.uri = details.uri;
    this.application = details.application;
    this.alone = details.alone ?? false;
    this.by = details.by;
    this.content = details.content;
  }

  /** The same, said by somebody. */
  saidBy(by: string): StanzaError {
    return new StanzaError(this.condition, { ...this, by });
  }

  /** The <error/> child. */
  element(): Element {
    return xml(
      'error',
      { type: this.type, by: this.by },
      xml(this.condition, { xmlns: NS.stanzaErrors }, this.uri),
      this.text && xml('text', { xmlns: NS.stanzaErrors, 'xml:lang': 'en' }, this.text),
      this.application,
    );
  }
}

/** Short form: `return refuse('item-not-found', 'No such node.')`. */
export function refuse(condition: StanzaErrorCondition, text?: string): StanzaError {
  return new StanzaError(condition, { text });
}
