import { NotDone } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { indexed, type Stanza } from '../../src/xml/index.ts';
import type { ArchiveService, Filed } from '../archive/contract.ts';
import type { OfflineService } from '../offline/contract.ts';
import { ID } from '../stanza-id/contract.ts';
import { idOfChild, markOf } from './marks.ts';
import { ERROR, type Notes, type Story } from './notes.ts';
import { type Known, Telling, type Told } from './telling.ts';

export interface TracingParts {
  readonly notes: Notes;
  archive(): ArchiveService | undefined;
  offline(): OfflineService | undefined;
  /** Whether a domain is served here. */
  serves(domain: string): boolean;
  /** Since when notes are taken; milliseconds since 1970. */
  readonly startedAt: number;
}

/** Messages of one id that an error names. */
const NAMED = 10;

/** Finds the message that an operator asks for, and tells what is known of it. */
export class Tracing {
  private readonly parts: TracingParts;
  private readonly telling: Telling;

  constructor(parts: TracingParts) {
    this.parts = parts;
    this.telling = new Telling(parts);
  }

  /** `id`: a stanza id, or a client's own. Rejects with a sentence for the operator when there is not exactly one. */
  async trace(id: string, from: Jid | undefined, to: Jid | undefined): Promise<Told> {
    const found = await this.find(id, from, to);
    if (found.length === 0) throw new NotDone(this.nothing(id, from, to));
    if (found.length === 1) return this.telling.tell(found[0]!);
    const list = found
      .slice(0, NAMED)
      .map(each => `  ${each.id ?? '(no stanza id)'}  ${each.from.full} to ${each.to?.full ?? each.from.bare}`);
    if (found.length > NAMED) list.push(`  and ${found.length - NAMED} more`);
    throw new NotDone(
      `${found.length} messages have the id '${id}'; --from and --to, or a stanza id, say which:\n${list.join('\n')}`,
    );
  }

  private async find(id: string, from: Jid | undefined, to: Jid | undefined): Promise<Known[]> {
    const wanted = ({ from: sender, to: recipient }: Pick<Story, 'from' | 'to'>): boolean =>
      fits(sender, from) && fits(recipient ?? sender.toBare(), to);
    const stories = [...this.parts.notes.stories()];
    const known = new Map<string, Known>();
    const add = (key: string, story: Pick<Story, 'from' | 'to' | 'id'>, filed?: Filed): Known => {
      const there = known.get(key);
      if (there) return there;
      const made: Known = {
        id: story.id,
        clientId: undefined,
        from: story.from,
        to: story.to,
        numbers: new Set(),
        filed,
      };
      known.set(key, made);
      return made;
    };
    const archive = this.parts.archive();

    // its stanza id
    if (ID.test(id)) {
      const filed = await archive?.find(id);
      if (filed) add(id, addressesOf(filed), filed);
      for (const story of stories) if (story.id === id) add(id, story).numbers.add(story.number);
      if (known.size === 0 && to && this.parts.serves(to.domain)) {
        const waits = await this.parts.offline()?.find(to.toBare(), id);
        // what offline storage leaves to the archive, and that has not any more, is gone
        if (waits && waits.wire !== '') add(id, addressesOf({ id, stanza: waits.wire }));
      }
      if (known.size > 0) return [...known.values()].filter(wanted);
    }

    // its client's own id
    const mark = markOf(id);
    // an error has the id of what it answers
    const own = stories.filter(
      story => story.says !== ERROR && (story.mark === mark || story.origin === mark) && wanted(story),
    );
    for (const story of own) if (story.id !== undefined) add(story.id, story).numbers.add(story.number);
    if (from || to) {
      for (const filed of (await archive?.named(id, from, to)) ?? []) {
        const addresses = addressesOf(filed);
        if (wanted(addresses)) known.set(filed.id, { ...add(filed.id, addresses), filed });
      }
    }
    // what has no stanza id: what was refused, what went elsewhere, what came again
    for (const story of own) {
      if (story.id !== undefined) continue;
      const same = [...known.values()].filter(
        each => each.from.bare === story.from.bare && each.to?.bare === story.to?.bare,
      );
      (same[0] ?? add(`${story.from.bare} ${story.to?.bare}`, story)).numbers.add(story.number);
    }
    for (const each of known.values()) {
      each.clientId = id;
      for (const story of stories) if (each.id !== undefined && story.id === each.id) each.numbers.add(story.number);
      if (each.id !== undefined && !each.filed) each.filed = await archive?.find(each.id);
    }
    // two ids may have the same number
    return [...known.values()].filter(({ filed }) => !filed || hasId(indexed(filed.stanza), id));
  }

  private nothing(id: string, from: Jid | undefined, to: Jid | undefined): string {
    const { notes, startedAt } = this.parts;
    const remembered = notes.full
      ? `the last ${notes.size} messages are remembered`
      : `messages are remembered since ${new Date(startedAt).toISOString()}`;
    if (!this.parts.archive()) return `no message with the id '${id}' is known: ${remembered}, and no archive is kept`;
    if (from || to)
      return `no message with the id '${id}' is known: ${remembered}, and no archive of these addresses has it`;
    return `no message with the id '${id}' is known: ${remembered}, and no archive has one of that stanza id. Earlier ones are found by a client's own id with --from or --to`;
  }
}

function fits(jid: Jid, wanted: Jid | undefined): boolean {
  return wanted === undefined || (wanted.isBare ? jid.bare : jid.full) === wanted.full;
}

function addressesOf({ id, stanza: wire }: Pick<Filed, 'id' | 'stanza'>): Pick<Story, 'id' | 'to'> & { from: Jid } {
  const stanza = indexed(wire);
  const from = parseJid(stanza.attr('from') ?? '');
  if (!from) throw new Error(`the message ${id} is stored without its sender`);
  return { id, from, to: parseJid(stanza.attr('to') ?? '') };
}

function hasId(stanza: Stanza, id: string): boolean {
  return stanza.id === id || idOfChild(stanza, 'origin-id', NS.stanzaIds) === id;
}
