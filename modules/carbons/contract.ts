import { serviceKey, type SessionView } from '../../src/api/index.ts';

/** What clients have as copies, for whoever keeps the messages themselves. */
export interface CarbonsService {
  /** Whether a client has had a copy of a message that nobody took, by the id that its account gave that (XEP-0359). */
  has(session: SessionView, stanzaId: string): boolean;
}

export const Carbons = serviceKey<CarbonsService>('carbons');
