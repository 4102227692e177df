/** Namespaces that the core and more than one module speak of. A module's own live in the module. */
export const NS = {
  client: 'jabber:client',
  component: 'jabber:component:accept',
  streams: 'http://etherx.jabber.org/streams', // RFC 6120 4.8.1
  streamErrors: 'urn:ietf:params:xml:ns:xmpp-streams', // RFC 6120 4.9.2
  stanzaErrors: 'urn:ietf:params:xml:ns:xmpp-stanzas', // RFC 6120 8.3.2
  tls: 'urn:ietf:params:xml:ns:xmpp-tls', // RFC 6120 5.4
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl', // RFC 6120 6.4
  sasl2: 'urn:xmpp:sasl:2', // XEP-0388
  bind2: 'urn:xmpp:bind:0', // XEP-0386
  fast: 'urn:xmpp:fast:0', // XEP-0484
  saslChannelBinding: 'urn:xmpp:sasl-cb:0', // XEP-0440
  bind: 'urn:ietf:params:xml:ns:xmpp-bind', // RFC 6120 7.4
  session: 'urn:ietf:params:xml:ns:xmpp-session', // RFC 3921 3
  framing: 'urn:ietf:params:xml:ns:xmpp-framing', // RFC 7395
  httpbind: 'http://jabber.org/protocol/httpbind', // XEP-0124
  xbosh: 'urn:xmpp:xbosh', // XEP-0206
  sm: 'urn:xmpp:sm:3', // XEP-0198
  csi: 'urn:xmpp:csi:0', // XEP-0352
  roster: 'jabber:iq:roster', // RFC 6121 2
  rosterVersioning: 'urn:xmpp:features:rosterver', // RFC 6121 2.6.1
  preApproval: 'urn:xmpp:features:pre-approval', // RFC 6121 3.4
  discoInfo: 'http://jabber.org/protocol/disco#info', // XEP-0030
  discoItems: 'http://jabber.org/protocol/disco#items',
  caps: 'http://jabber.org/protocol/caps', // XEP-0115
  dataForms: 'jabber:x:data', // XEP-0004
  commands: 'http://jabber.org/protocol/commands', // XEP-0050
  ping: 'urn:xmpp:ping', // XEP-0199
  version: 'jabber:iq:version', // XEP-0092
  vcard: 'vcard-temp', // XEP-0054
  register: 'jabber:iq:register', // XEP-0077
  registerFeature: 'http://jabber.org/features/iq-register',
  delay: 'urn:xmpp:delay', // XEP-0203
  forward: 'urn:xmpp:forward:0', // XEP-0297
  hints: 'urn:xmpp:hints', // XEP-0334
  carbons: 'urn:xmpp:carbons:2', // XEP-0280
  receipts: 'urn:xmpp:receipts', // XEP-0184
  chatStates: 'http://jabber.org/protocol/chatstates', // XEP-0085
  chatMarkers: 'urn:xmpp:chat-markers:0', // XEP-0333
  stanzaIds: 'urn:xmpp:sid:0', // XEP-0359
  muc: 'http://jabber.org/protocol/muc', // XEP-0045
  mucUser: 'http://jabber.org/protocol/muc#user',
  conference: 'jabber:x:conference', // XEP-0249
  rsm: 'http://jabber.org/protocol/rsm', // XEP-0059
  mam: 'urn:xmpp:mam:2', // XEP-0313
  occupantIds: 'urn:xmpp:occupant-id:0', // XEP-0421
  retract: 'urn:xmpp:message-retract:1', // XEP-0424
  correct: 'urn:xmpp:message-correct:0', // XEP-0308
  stored: 'urn:posthouse:stored:0', // docs/protocol.md
} as const;
