import { parseJid } from '../jid/index.ts';
import { NS, type StreamError } from '../protocol/index.ts';
import { randomName } from '../util/random.ts';
import { type Stanza, type StreamHeader, wireAttribute } from '../xml/index.ts';

/** What a client says when it opens a stream: RFC 6120 4.7, RFC 7395 3.3.2. */
export interface Opening {
  readonly to: string | undefined;
  readonly from: string | undefined;
  readonly version: string | undefined;
  readonly lang: string | undefined;
}

/** Reads a stream header; an error when it is not one of a client's stream. */
export function readHeader(header: StreamHeader): Opening | StreamError {
  // RFC 6120 4.8.1, 4.9.3.10
  if (header.xmlns !== NS.streams)
    return { condition: 'invalid-namespace', text: `A stream's namespace is ${NS.streams}.` };
  if (header.name !== 'stream') return { condition: 'bad-format', text: 'A stream begins with <stream:stream>.' };
  // RFC 6120 4.8.2: or the streams' own, or none, and each stanza says its own
  if (header.content !== NS.client && header.content !== NS.streams && header.content !== '') {
    return { condition: 'invalid-namespace', text: `The default namespace of a client's stream is ${NS.client}.` };
  }
  const { attrs } = header;
  return { to: attrs.get('to'), from: attrs.get('from'), version: attrs.get('version'), lang: attrs.get('xml:lang') };
}

/** Reads <open/> of a WebSocket. */
export function readOpen(stanza: Stanza): Opening | StreamError {
  if (stanza.name !== 'open' || stanza.xmlns !== NS.framing) {
    return {
      condition: 'invalid-namespace',
      text: `A WebSocket stream begins with <open xmlns='${NS.framing}'/>, one over BOSH with a restart request.`,
    };
  }
  return {
    to: stanza.attr('to'),
    from: stanza.attr('from'),
    version: stanza.attr('version'),
    lang: stanza.attr('xml:lang'),
  };
}

/** RFC 6120 4.7.5: 1.0 or later, which is answered with 1.0; none at all means 0.9. */
export function versionSupported(version: string | undefined): boolean {
  return version !== undefined && /^0*[1-9][0-9]*\.[0-9]+$/.test(version);
}

/** A stream id nobody can guess (RFC 6120 4.7.3). */
export function streamId(): string {
  return randomName(12);
}

/** A language tag that may be repeated in attributes (BCP 47's characters). */
export function languageTag(lang: string | undefined): string | undefined {
  return lang !== undefined && /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/.test(lang) && lang.length <= 64 ? lang : undefined;
}

/** The server's header, as a wire string. */
export function headerWire(framed: boolean, id: string, host: string, opening: Opening | undefined): string {
  const peer = opening?.from === undefined ? undefined : parseJid(opening.from);
  const attributes =
    wireAttribute('id', id) +
    wireAttribute('from', host) +
    (peer ? wireAttribute('to', peer.bare) : '') +
    " version='1.0'" +
    wireAttribute('xml:lang', languageTag(opening?.lang) ?? 'en');
  return framed
    ? `<open xmlns='${NS.framing}'${attributes}/>`
    : `<?xml version='1.0'?><stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}'${attributes}>`;
}

export function closeWire(framed: boolean): string {
  return framed ? `<close xmlns='${NS.framing}'/>` : '</stream:stream>';
}
