export { NS } from './namespaces.ts';
export { type ErrorType, refuse, StanzaError, type StanzaErrorCondition } from './stanza-error.ts';
export { type StreamError, type StreamErrorCondition, streamErrorWire } from './stream-error.ts';
