import { NS } from '../../src/protocol/index.ts';

export const MUC_ADMIN = `${NS.muc}#admin`;
export const MUC_OWNER = `${NS.muc}#owner`;
export const MUC_REGISTER = `${NS.muc}#register`;
export const MUC_REQUEST = `${NS.muc}#request`;
export const MUC_STABLE_ID = `${NS.muc}#stable_id`; // XEP-0045 7.4
export const SELF_PING = `${NS.muc}#self-ping-optimization`; // XEP-0410 3.3
export const HATS = 'urn:xmpp:hats:0'; // XEP-0317
