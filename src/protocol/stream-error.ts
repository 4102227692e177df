import { escapeXml, toWire } from '../xml/index.ts';
import { NS } from './namespaces.ts';

/** RFC 6120 4.9.3. */
export type StreamErrorCondition =
  | 'bad-format'
  | 'bad-namespace-prefix'
  | 'conflict'
  | 'connection-timeout'
  | 'host-gone'
  | 'host-unknown'
  | 'improper-addressing'
  | 'internal-server-error'
  | 'invalid-from'
  | 'invalid-namespace'
  | 'invalid-xml'
  | 'not-authorized'
  | 'not-well-formed'
  | 'policy-violation'
  | 'remote-connection-failed'
  | 'reset'
  | 'resource-constraint'
  | 'restricted-xml'
  | 'see-other-host'
  | 'system-shutdown'
  | 'undefined-condition'
  | 'unsupported-encoding'
  | 'unsupported-feature'
  | 'unsupported-stanza-type'
  | 'unsupported-version';

/** A stream error closes the stream that it is sent on (RFC 6120 4.9.1.1). */
export interface StreamError {
  readonly condition: StreamErrorCondition;
  /** A sentence for the log of the peer, in English. */
  readonly text?: string;
  /** Character data of the condition: the other host of see-other-host. */
  readonly value?: string;
  /** An application-specific condition (RFC 6120 4.9.4), as a wire string of the server's own. */
  readonly application?: string;
}

/** `<stream:error>`, as a wire string. `prefixDeclared`: the stream header bound 'stream'; a WebSocket frame has to itself. */
export function streamErrorWire(error: StreamError, prefixDeclared: boolean): string {
  const declaration = prefixDeclared ? '' : ` xmlns:stream='${NS.streams}'`;
  const condition = error.value
    ? `<${error.condition} xmlns='${NS.streamErrors}'>${escapeXml(error.value)}</${error.condition}>`
    : `<${error.condition} xmlns='${NS.streamErrors}'/>`;
  const text = error.text ? `<text xmlns='${NS.streamErrors}' xml:lang='en'>${escapeXml(error.text)}</text>` : '';
  return toWire(`<stream:error${declaration}>${condition}${text}${error.application ?? ''}</stream:error>`);
}
