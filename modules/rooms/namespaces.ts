export const MUC_ADMIN = 'http://jabber.org/protocol/muc#admin';
export const PING = 'urn:xmpp:ping'; // XEP-0199
export const VCARD = 'vcard-temp'; // XEP-0054
