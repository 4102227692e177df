import { type Packet, serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

/** Told by those who keep messages what becomes of one. */
export interface TraceService {
  /** It is committed to an archive, with its id there. */
  committed(packet: Packet, id: string): void;
  /** It is committed for its recipient, who is not there or does not keep up; `id` as its recipient's account gave it. */
  stored(packet: Packet, account: Jid, id: string): void;
}

export const Trace = serviceKey<TraceService>('trace');
