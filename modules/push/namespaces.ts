export const PUSH = 'urn:xmpp:push:0'; // XEP-0357
export const SUMMARY = 'urn:xmpp:push:summary'; // XEP-0357 5
export const PUBSUB = 'http://jabber.org/protocol/pubsub'; // XEP-0060
export const PUBLISH_OPTIONS = `${PUBSUB}#publish-options`;
export const NOTIFY = 'urn:xmpp:notification-settings:1'; // XEP-0492
export const BOOKMARKS = 'urn:xmpp:bookmarks:1'; // XEP-0402
export const REFERENCE = 'urn:xmpp:reference:0'; // XEP-0372
export const REPLY = 'urn:xmpp:reply:0'; // XEP-0461
export const CALL = 'urn:xmpp:jingle-message:0'; // XEP-0353
/** docs/protocol.md: how a device wants to be told, and what is special about a notification. */
export const OWN = 'urn:posthouse:push:0';
/** docs/protocol.md: the node in which accounts keep settings of conversations that are no rooms. */
export const CHATS = 'urn:posthouse:chats:0';
