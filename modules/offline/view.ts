import { andThen, type MaybePromise, wireJid } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import type { ArchiveService } from '../archive/contract.ts';
import { restored, type Waiting } from './parts.ts';
import { stamped } from './storable.ts';
import type { StoredRow } from './store.ts';

/** Rows with what the archive has of them: there is one copy of a message. */
export function complete(
  account: Jid,
  rows: readonly StoredRow[],
  archive: ArchiveService | undefined,
): MaybePromise<readonly Waiting[]> {
  const missing = rows.filter(({ archived, wire }) => archived && wire === '');
  if (missing.length === 0) return rows;
  // the archive is off: they wait until it is on again
  if (!archive) return rows.map(row => (missing.includes(row) ? { ...row, wire: undefined } : row));
  const ids = missing.map(({ stanzaId }) => stanzaId);
  return andThen(archive.arrivals(account, ids), stanzas =>
    rows.map(row => {
      const place = missing.indexOf(row);
      return place < 0 ? row : { ...row, wire: asItCame(row, stanzas[place], account) };
    }),
  );
}

/** The message with the id that its account gave it, and its stamp; empty when the archive has it no more. */
function asItCame({ stanzaId, at }: StoredRow, stanza: string | undefined, account: Jid): string {
  const packet = stanza === undefined ? undefined : restored(stanza, account);
  if (!packet) return '';
  packet.append(`<stanza-id xmlns='${NS.stanzaIds}' id='${stanzaId}' by='${wireJid(account)}'/>`);
  return stamped(packet, at);
}
