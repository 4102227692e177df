import { StanzaError, type StanzaErrorCondition, type ErrorType } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';

export const PUBSUB = 'http://jabber.org/protocol/pubsub';
export const OWNER = `${PUBSUB}#owner`;
export const EVENT = `${PUBSUB}#event`;
export const ERRORS = `${PUBSUB}#errors`;
/** Names of forms (XEP-0060 16.4). */
export const NODE_CONFIG = `${PUBSUB}#node_config`;
export const PUBLISH_OPTIONS = `${PUBSUB}#publish-options`;
export const SUBSCRIBE_OPTIONS = `${PUBSUB}#subscribe_options`;
export const SUBSCRIBE_AUTHORIZATION = `${PUBSUB}#subscribe_authorization`;
export const META_DATA = `${PUBSUB}#meta-data`;

interface Details {
  readonly text?: string;
  readonly type?: ErrorType;
  /** Of 'unsupported'. */
  readonly feature?: string;
}

/** An error with its condition of this protocol: XEP-0060 11. */
export function refusal(condition: StanzaErrorCondition, name: string, details: Details = {}): StanzaError {
  const { text, type, feature } = details;
  return new StanzaError(condition, {
    ...(text !== undefined && { text }),
    ...(type !== undefined && { type }),
    application: xml(name, { xmlns: ERRORS, feature }),
  });
}

export function unsupported(feature: string, text?: string): StanzaError {
  return refusal('feature-not-implemented', 'unsupported', { feature, ...(text !== undefined && { text }) });
}

// what several operations are refused with
export const NOT_FOUND = new StanzaError('item-not-found', { text: 'There is no such node.' });
/** 6.1.3.10: the node has moved for good. */
export const movedTo = (uri: string): StanzaError =>
  new StanzaError('gone', { uri, type: 'modify', text: 'The node is somewhere else now.' });
export const NODE_REQUIRED = refusal('bad-request', 'nodeid-required', { text: 'A node has to be named.' });
export const NOT_OWNER = new StanzaError('forbidden', { text: 'Only an owner of the node may do that.' });
export const PRESENCE_REQUIRED = refusal('not-authorized', 'presence-subscription-required');
export const NOT_SUBSCRIBED = refusal('unexpected-request', 'not-subscribed');
export const NO_PERSISTENT_ITEMS = unsupported('persistent-items', 'The node keeps no items.');
