import { serviceKey, type SessionView } from '../../src/api/index.ts';

/** What clients have as copies, for whoever keeps the messages themselves. */
export interface CarbonsService {
  /** Whether a client is known to have a copy of a message with a body, by the id that its account gave that (XEP-0359). */
  has(session: SessionView, stanzaId: string): boolean;
}

export const Carbons = serviceKey<CarbonsService>('carbons');
