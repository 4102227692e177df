import { createHmac } from 'node:crypto';
import type { Jid } from '../../src/jid/index.ts';

/**
 * The occupant id of an account (XEP-0421 4.1): in a room always the same, in another room another, and nobody finds the account by it who
 * does not know the secret. `id` is the room's: one that is made again by the same name is another.
 */
export function occupantId(secret: string, room: Jid, id: number, account: Jid): string {
  return createHmac('sha256', secret).update(`${id}\0${room.bare}\0${account.bare}`).digest('base64url');
}
