import { Lru } from '../../src/api/index.ts';
import { StanzaError } from '../../src/protocol/index.ts';
import { atLeast, type RoomPolicy } from './contract.ts';

/** Users whose last message is remembered, of all rooms. */
const REMEMBERED = 100_000;

/** Slow mode (XEP-0500 6): a user waits between two messages, by whatever client or nickname. Admins and owners do not. */
export function slowMode(now: () => number = Date.now): RoomPolicy {
  const last = new Lru<string, number>(REMEMBERED);
  return {
    maySpeak: (room, from, packet) => {
      const { slowMode: seconds } = room.config;
      if (seconds === 0 || !packet.hasBody || atLeast(room.actor(from).affiliation, 'admin')) return undefined;
      const key = `${room.id} ${from.bare}`;
      const left = (last.get(key) ?? 0) + seconds * 1000 - now();
      if (left > 0) {
        const text = `In this room you wait ${seconds} seconds between two messages. Try again in ${Math.ceil(left / 1000)}.`;
        return new StanzaError('policy-violation', { type: 'wait', text });
      }
      last.set(key, now());
      return undefined;
    },
  };
}
