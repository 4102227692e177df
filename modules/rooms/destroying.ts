/* The end of a room: XEP-0045 10.9. */
import type { Jid } from '../../src/jid/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';
import type { Farewell } from './contract.ts';
import { textElement } from './presence.ts';
import type { Room } from './room.ts';
import { tellEach, tellSelf } from './telling.ts';

/** Takes a room away for good, and tells each of its clients so by one presence. It is gone before anybody hears of it. */
export async function destroyRoom(room: Room, farewell: Farewell = {}, by?: Jid): Promise<void> {
  const clients = [...room.occupants.sessions()];
  await room.destroy(farewell, by);
  const remarks = { affiliation: 'none', role: 'none', more: element(farewell) } as const;
  await tellEach(clients, client => {
    room.occupants.remove(client);
    room.house.visits.leave(room, client);
    tellSelf(room, client, { session: client, type: 'unavailable', remarks });
  });
}

/** It is there even if nothing is said in it: by it alone clients see that the room is gone. */
function element({ alternative, password = '', reason = '' }: Farewell): string {
  const jid = alternative ? wireAttribute('jid', alternative.full) : '';
  const inner =
    (password === '' ? '' : textElement('password', password)) + (reason === '' ? '' : textElement('reason', reason));
  return inner === '' ? `<destroy${jid}/>` : `<destroy${jid}>${inner}</destroy>`;
}
