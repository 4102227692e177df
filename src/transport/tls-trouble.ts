/** OpenSSL's reasons, as Node spells them in an error's code; the first that fits. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|UNSUPPORTED_CERTIFICATE)/,
    'the client does not accept the certificate',
  ],
  [/ALERT_UNRECOGNIZED_NAME|ALERT_ACCESS_DENIED/, 'the client refused the server'],
  [/HTTP_REQUEST/, 'the client speaks HTTP without TLS'],
  [
    /WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL|PACKET_LENGTH_TOO_LONG/,
    'the client does not speak TLS: this port wants it from the first byte, STARTTLS has a port of its own',
  ],
  [
    /UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|PROTOCOL_VERSION|ALERT_HANDSHAKE_FAILURE|VERSION_TOO_LOW/,
    'client and server have no TLS version or cipher in common; TLS 1.2 is the least here',
  ],
  [/NO_APPLICATION_PROTOCOL/, 'the client wants another protocol than is spoken here (ALPN)'],
];

/** What went wrong with TLS, for the operator; undefined when the connection just broke. */
export function tlsTrouble(error: Error): string | undefined {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string' || !code.startsWith('ERR_SSL_')) return undefined;
  const known = REASONS.find(([pattern]) => pattern.test(code));
  return known ? known[1] : code.slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ');
}
