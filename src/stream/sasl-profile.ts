import { Jid } from '../jid/index.ts';
import { NS } from '../protocol/index.ts';
import { escapeXml, type Stanza } from '../xml/index.ts';
import type { ClientStream } from './client-stream.ts';
import type { SaslProfile } from './login.ts';
import { begin, decodeAuth, decodeResponse, encodeSuccess } from './sasl/index.ts';

/** The profile of RFC 6120 6. */
const profile: SaslProfile = {
  challenge(stream, data) {
    stream.connection.write(`<challenge xmlns='${NS.sasl}'>${encodeSuccess(data)}</challenge>`);
  },

  success(stream, step, mechanism) {
    const data = encodeSuccess(step.data);
    stream.connection.write(data ? `<success xmlns='${NS.sasl}'>${data}</success>` : `<success xmlns='${NS.sasl}'/>`);
    stream.authenticated(new Jid(step.local, stream.host!.domain, ''), step.anonymous ?? false, mechanism);
    // RFC 6120 6.4.6: a new stream begins
    stream.restart();
    return true;
  },

  failure(stream, condition, message) {
    const explanation = message ? `<text xml:lang='en'>${escapeXml(message)}</text>` : '';
    stream.connection.write(`<failure xmlns='${NS.sasl}'><${condition}/>${explanation}</failure>`);
  },
};

/** <auth/>, <response/>, <abort/> (RFC 6120 6.4). */
export function onSasl(stream: ClientStream, stanza: Stanza): void {
  const { login, offered } = stream;
  switch (stanza.name) {
    case 'auth': {
      if (login.speaks) return login.fail(profile, 'malformed-request', 'An exchange is under way.');
      if (offered.length === 0) return login.fail(profile, 'encryption-required', 'STARTTLS comes first.');
      const mechanism = stanza.attr('mechanism');
      if (mechanism === undefined) return login.fail(profile, 'malformed-request', 'Which mechanism?');
      const exchange = begin(mechanism, login.context());
      if (!exchange) return login.fail(profile, 'invalid-mechanism');
      login.begin(exchange, profile);
      const decoded = decodeAuth(stanza.inner);
      if (!decoded) return login.fail(profile, 'incorrect-encoding');
      return login.step(decoded.data);
    }
    case 'response': {
      if (!login.speaks) return login.fail(profile, 'malformed-request', 'No exchange is under way.');
      const decoded = decodeResponse(stanza.inner);
      if (!decoded) return login.fail(profile, 'incorrect-encoding');
      return login.step(decoded.data);
    }
    case 'abort':
      return login.fail(profile, 'aborted');
    default:
      return login.fail(profile, 'malformed-request');
  }
}
