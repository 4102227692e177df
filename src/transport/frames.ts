/** RFC 7395 3.3.3, XEP-0206 2: no stream around a frame declares the namespace of stanzas, so each says it itself. */
export function withNamespace(wire: string): string {
  const match = /^<(?:message|presence|iq)(?=[ />])/.exec(wire);
  return match ? `${match[0]} xmlns='jabber:client'${wire.slice(match[0].length)}` : wire;
}
