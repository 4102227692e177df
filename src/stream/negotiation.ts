import { NS } from '../protocol/index.ts';
import type { Stanza } from '../xml/index.ts';
import { answerBeforeLogin } from './before-login.ts';
import { onBindRequest } from './binding.ts';
import type { ClientStream } from './client-stream.ts';
import { onEarlyManagement } from './management.ts';
import { onResume } from './resumption.ts';
import { Authentication, onSasl2 } from './sasl2.ts';
import { onSasl } from './sasl-profile.ts';

/** What comes before login: STARTTLS, SASL, and what modules answer there. */
export function onLoginStanza(stream: ClientStream, stanza: Stanza): void {
  if (stanza.xmlns === NS.sasl2) onSasl2(stream, stanza);
  // XEP-0388 2.4: a client that logs in does nothing else
  else if (stream.login.speaks instanceof Authentication && !isEnd(stream, stanza)) interrupted(stream);
  else if (mayStartTls(stream, stanza)) startTls(stream);
  else if (stanza.xmlns === NS.sasl) onSasl(stream, stanza);
  else if (stanza.name === 'iq' && stanza.xmlns === NS.client && answerBeforeLogin(stream, stanza)) return;
  else if (stanza.xmlns === NS.sm && (stanza.name === 'enable' || stanza.name === 'resume')) onEarlyManagement(stream);
  else if (isEnd(stream, stanza)) stream.farewell();
  // RFC 6120 4.9.3.12
  else stream.fail({ condition: 'not-authorized', text: 'Log in first.' });
}

/** What comes between login and session: binding, or resumption instead of it. */
export function onBindingStanza(stream: ClientStream, stanza: Stanza): void {
  if (stanza.name === 'iq' && stanza.xmlns === NS.client) onBindRequest(stream, stanza);
  else if (stanza.xmlns === NS.sm) onResume(stream, stanza);
  else if (isEnd(stream, stanza)) stream.farewell();
  // RFC 6120 7.1
  else stream.fail({ condition: 'not-authorized', text: 'Bind a resource first.' });
}

/** <close/> of a framed stream, or a stream error of the client's: it closes its stream with that (RFC 6120 4.9.1.1). */
export function isEnd(stream: ClientStream, stanza: Stanza): boolean {
  return stanza.name === 'close'
    ? stanza.xmlns === NS.framing && stream.connection.framed
    : stanza.name === 'error' && stanza.xmlns === NS.streams;
}

function interrupted(stream: ClientStream): void {
  stream.fail({
    condition: 'not-authorized',
    text: 'A login is under way: nothing but <response/> or <abort/> may come.',
  });
}

function mayStartTls({ connection, host, login }: ClientStream, stanza: Stanza): boolean {
  // what was said of a login without TLS is no part of one under TLS (RFC 6120 5.4.3.3)
  if (stanza.xmlns !== NS.tls || stanza.name !== 'starttls' || login.speaks) return false;
  return !connection.secured && host!.tls && !connection.framed;
}

function startTls(stream: ClientStream): void {
  const { connection } = stream;
  stream.state = 'securing';
  // what came behind <starttls/> came unprotected: it is dropped (RFC 6120 5.4.3.3)
  stream.scanner.stop();
  connection.write(`<proceed xmlns='${NS.tls}'/>`);
  connection.startTls(stream.host!.domain);
}
