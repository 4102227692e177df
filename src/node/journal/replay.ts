import type { KeptItem } from '../../session/outbox.ts';
import { type FormerSession, readState } from '../../session/state.ts';

interface Reading {
  id: string;
  json: string;
  acks: number | undefined;
  h: number | undefined;
  /** By number, those that have one. */
  items: Map<number, KeptItem>;
  /** Those that were not numbered. */
  later: KeptItem[];
}

const WITH_CONTENT: ReadonlySet<string> = new Set(['O', 'P', 'R', 'S']);

/** Reads the records of src/session/journal.ts, as they come. */
export class Replay {
  private readonly sessions = new Map<string, Reading>();
  private rest = '';
  /** The message of the last record that has one. */
  private last = '';

  /** Throws when what it is given is no journal. */
  add(data: string): void {
    const text = this.rest + data;
    let at = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      const words = text.slice(at, end).split(' ');
      const [kind, id = ''] = words;
      const length = WITH_CONTENT.has(kind!) ? Number(words.at(-1)) : 0;
      const next = end + 1 + length;
      if (next > text.length) break;
      let content = text.slice(end + 1, next);
      // what is behind its addresses stands in the record before it
      if (kind === 'P') content += this.last.slice(-Number(words[4]));
      if (kind === 'O' || kind === 'P') this.last = content;
      this.apply(kind!, id, words, content);
      at = next;
    }
    this.rest = text.slice(at);
  }

  private apply(kind: string, id: string, words: readonly string[], content: string): void {
    if (kind === 'R') {
      // what comes later takes its place at the end
      this.sessions.delete(id);
      this.sessions.set(id, { id, json: content, acks: undefined, h: undefined, items: new Map(), later: [] });
      return;
    }
    const session = this.sessions.get(id);
    // what was noted of a session that is over, or not yet known, says nothing
    if (!session) return;
    const number = Number(words[2]);
    switch (kind) {
      case 'S':
        session.json = content;
        // they are in there
        session.acks = session.h = undefined;
        return;
      case 'P':
      case 'O': {
        const item = { number, since: Number(words[3]), wire: content };
        if (number === 0) session.later.push(item);
        else session.items.set(number, item);
        return;
      }
      case 'A':
        session.acks = number;
        for (const sent of session.items.keys()) {
          if (((sent - number) | 0) > 0) break;
          session.items.delete(sent);
        }
        return;
      case 'H':
        session.h = number;
        return;
      case 'D':
        session.items.delete(number);
        return;
      case 'E':
        this.sessions.delete(id);
        return;
      default:
        throw new Error(`the journal of sessions holds '${kind.slice(0, 20)}', which is no record of it`);
    }
  }

  /** In the order in which they began. */
  result(): FormerSession[] {
    return [...this.all()].sort((a, b) => a.state.since - b.state.since);
  }

  private *all(): Generator<FormerSession> {
    for (const { id, json, acks, h, items, later } of this.sessions.values()) {
      const { jid, state } = readState(json);
      const now = { ...state, acks: acks ?? state.acks, h: h ?? state.h };
      yield { id, jid, state: now, items: [...items.values(), ...later] };
    }
  }
}
