/* Rows of rooms, as what they stand for. */
import { Jid } from '../../src/jid/index.ts';
import type { Hat, Wearer } from './hats.ts';
import type { Affiliated, Application, KeptAffiliation, StoredRoom } from './stored.ts';

export interface RoomRow {
  id: number;
  config: string;
  locked: number;
  subject: string | null;
  subject_nick: string | null;
  subject_at: number | null;
  subject_by: string | null;
  created: number;
  avatar: string;
  hats: string | null;
}

export interface AffiliationRow {
  jid_key: string;
  jid: string;
  affiliation: KeptAffiliation;
  nick: string | null;
  reason: string | null;
  since: number;
}

export function roomOf(
  jid: Jid,
  row: RoomRow,
  affiliated: readonly Affiliated[],
  applications: readonly Application[],
  wearers: readonly Wearer[],
): StoredRoom {
  const { subject, subject_nick, subject_at, subject_by } = row;
  return {
    id: Number(row.id),
    jid: jid.toBare(),
    config: row.config,
    locked: Number(row.locked) === 1,
    subject:
      subject === null
        ? undefined
        : { text: subject, nick: subject_nick ?? '', by: subject_by ?? '', at: Number(subject_at) },
    created: Number(row.created),
    avatarHashes: JSON.parse(row.avatar) as string[],
    affiliated,
    applications,
    hats: row.hats === null ? [] : (JSON.parse(row.hats) as Hat[]),
    wearers,
  };
}

export function affiliatedOf({ jid, affiliation, nick, reason, since }: AffiliationRow): Affiliated {
  return {
    jid: bareJid(jid),
    affiliation,
    ...(nick !== null && { nick }),
    ...(reason !== null && { reason }),
    since: Number(since),
  };
}

export function applicationOf({ jid, form, applied }: { jid: string; form: string; applied: number }): Application {
  return { jid: bareJid(jid), form: JSON.parse(form) as Record<string, string>, applied: Number(applied) };
}

export function wearerOf({ jid, uris }: { jid: string; uris: string }): Wearer {
  return { jid: bareJid(jid), uris: JSON.parse(uris) as string[] };
}

/** Addresses were prepared when they were stored. */
function bareJid(text: string): Jid {
  const at = text.indexOf('@');
  return new Jid(at < 0 ? '' : text.slice(0, at), text.slice(at + 1), '', undefined, text);
}
