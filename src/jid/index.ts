/** Addresses (RFC 7622) and the escaping of their localparts (XEP-0106). */
export { asciiDomain } from './ascii.ts';
export { Jid } from './jid.ts';
export { jidProblem, parseJid, prepareDomain, prepareLocal, prepareResource } from './parse.ts';
export { escapeNode, unescapeNode } from './escape.ts';
