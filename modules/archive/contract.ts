import { type Packet, serviceKey } from '../../src/api/index.ts';

/** The archive for other modules. */
export interface ArchiveService {
  /**
   * For a message that a client of this node has just sent: `done` is called once it is safe in its sender's archive, with its id there,
   * or with undefined when it turns out that it is not kept; never, when the message is refused on its way. 'told': that was at once;
   * undefined: it is no message for archives, and `done` is not called.
   */
  whenSent(packet: Packet, done: (id: string | undefined) => void): 'told' | 'later' | undefined;
  /**
   * A client's message ends on its way without its sender being told: in the sender's archive it is as any other. Resolved when it is
   * safe there; undefined where that has nothing to keep.
   */
  dropped(packet: Packet): Promise<void> | undefined;
}

export const Archive = serviceKey<ArchiveService>('archive');
