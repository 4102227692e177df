import { createHmac } from 'node:crypto';
import type { Jid } from '../../src/jid/index.ts';

export const OCCUPANT_ID = 'urn:xmpp:occupant-id:0'; // XEP-0421

/**
 * The occupant id of an account (XEP-0421 4.1): in a room always the same, in another room another; and nobody finds the account by it who
 * does not know the secret of the room.
 */
export function occupantId(secret: string, room: Jid, account: Jid): string {
  return createHmac('sha256', secret).update(`${room.bare}\0${account.bare}`).digest('base64url');
}
