import type { Jid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { indexed } from '../../src/xml/index.ts';
import type { Filed } from '../archive/contract.ts';
import { idOfChild, markOf, sayingOf } from './marks.ts';
import { ASKS, DISPLAYED, ERROR, type Event, RECEIVED, type Step, type Story } from './notes.ts';
import type { TracingParts } from './tracing.ts';

/** Messages of a conversation that are looked through for what they say of an earlier one. */
const FOLLOWING = 2000;

/** A message, and where it was found. */
export interface Known {
  readonly id: string | undefined;
  clientId: string | undefined;
  readonly from: Jid;
  readonly to: Jid | undefined;
  /** Its stories: one, and one for each time that it came back from an outbox or from storage. */
  readonly numbers: Set<number>;
  filed: Filed | undefined;
}

type Source = 'memory' | 'archive' | 'offline storage';

export interface ToldStep {
  readonly step: Step | 'delivered' | 'displayed';
  /** ISO 8601; null where only that it happened is known. */
  readonly at: string | null;
  /** The address of the session, of whose client it was, or the condition of an error. */
  readonly by: string | null;
  readonly what: string;
  readonly knownFrom: Source;
}

/** The story of a message. */
export interface Told {
  readonly id: string | null;
  readonly clientId: string | null;
  readonly from: string;
  readonly to: string;
  /** How far it came. */
  readonly state: 'refused' | 'sent' | 'stored' | 'delivered' | 'displayed';
  /** Since when its sender's acknowledgement (XEP-0198) may cover it; null where that is not known. */
  readonly safeSince: string | null;
  /** Whether it waits for its recipient now. */
  readonly waits: boolean;
  readonly steps: readonly ToldStep[];
  readonly notKnown: readonly string[];
}

/** What others said of a message. */
interface Saying {
  readonly at: number;
  readonly by: string;
  readonly knownFrom: Source;
}

interface Sayings {
  delivered?: Saying;
  displayed?: Saying;
  error?: Saying;
}

const WHAT: Record<Step, string> = {
  accepted: 'the server took it in',
  committed: 'the archive has it',
  routed: 'put into the outbox of a session',
  queued: 'put into the outbox of a session that waits for its client to come back',
  offline: 'stored for its recipient, who is not there or does not keep up',
  acknowledged: "the session's client acknowledged it (XEP-0198)",
  written: "the system took it for the session's client, which gives no acknowledgements",
  resumed: 'given to a session that was resumed',
  left: 'the session ended before its client had it',
  refused: 'its sender was told that it is not delivered',
};

/** Puts together what memory, archives and offline storage know of a message. */
export class Telling {
  private readonly parts: TracingParts;

  constructor(parts: TracingParts) {
    this.parts = parts;
  }

  async tell(known: Known): Promise<Told> {
    const { notes, archive, offline, serves, startedAt } = this.parts;
    const { id, from, to, numbers, filed } = known;
    const events = notes.eventsOf(numbers);
    const stories = [...notes.stories()];
    const sayings = this.remembered(known, stories);
    const kept = archive();
    let looked = true;
    if (kept && filed && !(sayings.delivered && sayings.displayed)) looked = await this.archived(kept, known, sayings);
    const waits = id !== undefined && to && serves(to.domain) ? await offline()?.find(to.toBare(), id) : undefined;
    const stanza = filed ? indexed(filed.stanza) : waits && indexed(waits.wire);

    const steps: (Omit<ToldStep, 'at'> & { at: number | undefined })[] = events.map(event => ({
      step: event.step,
      at: event.at,
      by: event.by ?? null,
      what: WHAT[event.step],
      knownFrom: 'memory',
    }));
    const has = (...wanted: Step[]): boolean => events.some(({ step }) => wanted.includes(step));
    if (!has('accepted') && filed)
      steps.push({ step: 'accepted', at: filed.at, by: null, what: WHAT.accepted, knownFrom: 'archive' });
    if (filed && !has('committed'))
      steps.push({ step: 'committed', at: undefined, by: null, what: whereOf(filed), knownFrom: 'archive' });
    else if (filed) {
      const index = steps.findIndex(({ step }) => step === 'committed');
      steps[index] = { ...steps[index]!, what: whereOf(filed) };
    }
    if (waits && !has('offline'))
      steps.push({ step: 'offline', at: waits.at, by: null, what: WHAT.offline, knownFrom: 'offline storage' });
    for (const [step, what, saying] of [
      ['delivered', "its recipient's client says that it has it (XEP-0184)", sayings.delivered],
      ['displayed', 'its recipient has seen it, says the client (XEP-0333)', sayings.displayed],
      ['refused', "its recipient's client answered with an error", sayings.error],
    ] as const) {
      if (saying) steps.push({ step, at: saying.at, by: saying.by, what, knownFrom: saying.knownFrom });
    }
    // what has no time stands behind the step before it
    const accepted = steps.find(({ step }) => step === 'accepted')?.at ?? 0;
    steps.sort((a, b) => (a.at ?? accepted) - (b.at ?? accepted));

    const safe = events.filter(({ step }) => SAFE.has(step)).map(({ at }) => at);
    if (waits && !has('offline')) safe.push(waits.at);
    const went = has('routed', 'queued', 'offline') || filed !== undefined || waits !== undefined;
    const state = sayings.displayed
      ? 'displayed'
      : sayings.delivered
        ? 'delivered'
        : has('refused') || sayings.error
          ? 'refused'
          : filed || waits || has('committed', 'offline')
            ? 'stored'
            : 'sent';

    const notKnown: string[] = [];
    if (filed && !has('committed')) notKnown.push('when it was committed: the archive says only that it was');
    if (!has('accepted')) {
      const why =
        accepted > 0 && accepted < startedAt
          ? `the node takes notes since ${iso(startedAt)}`
          : `the last ${notes.size} messages are remembered`;
      notKnown.push(`to which sessions it went, and which clients acknowledged it: ${why}`);
    }
    const asked =
      stories.some(story => numbers.has(story.number) && story.says === ASKS) ||
      (stanza?.has('request', NS.receipts) ?? false);
    if (!sayings.delivered && went)
      notKnown.push(
        asked
          ? 'whether it was delivered: no client has sent the receipt that was asked for (XEP-0184)'
          : 'whether it was delivered: its sender asked for no receipt (XEP-0184)',
      );
    if (!sayings.displayed && went) notKnown.push('whether it was displayed: no client has said so (XEP-0333)');
    if (!looked) notKnown.push(`what was said of it later than in the next ${FOLLOWING} messages of its conversation`);

    return {
      id: id ?? null,
      clientId: known.clientId ?? stanza?.id ?? (stanza && idOfChild(stanza, 'origin-id', NS.stanzaIds)) ?? null,
      from: from.full,
      to: (to ?? from.toBare()).full,
      state,
      safeSince: safe.length > 0 ? iso(Math.min(...safe)) : null,
      waits: waits !== undefined,
      steps: steps.map(step => ({ ...step, at: step.at === undefined ? null : iso(step.at) })),
      notKnown,
    };
  }

  /** What later messages that are remembered say of it. */
  private remembered({ id, from, to, numbers }: Known, stories: readonly Story[]): Sayings {
    const first = Math.min(...numbers);
    const recipient = to ?? from.toBare();
    const own = new Set<number>();
    const later = new Set<number>();
    if (id !== undefined) own.add(markOf(id));
    for (const story of stories) {
      if (!numbers.has(story.number)) continue;
      own.add(story.mark);
      own.add(story.origin);
    }
    own.delete(0);
    const said: Story[] = [];
    for (const story of stories) {
      if (story.number <= first || numbers.has(story.number)) continue;
      const forth = story.from.bare === from.bare && story.to?.bare === recipient.bare;
      const back = story.from.bare === recipient.bare && story.to?.bare === from.bare;
      // what was displayed says so of everything before it
      if (forth) for (const mark of [story.mark, story.origin]) if (mark !== 0) later.add(mark);
      if (!back) continue;
      if (own.has(story.refers) || (story.says === DISPLAYED && later.has(story.refers))) said.push(story);
    }
    const times = new Map<number, number>();
    for (const event of this.parts.notes.eventsOf(new Set(said.map(({ number }) => number)))) {
      if (!times.has(event.story)) times.set(event.story, event.at);
    }
    const out: Sayings = {};
    for (const { number, says, from: speaker } of said) {
      const at = times.get(number);
      if (at !== undefined) note(out, says, { at, by: speaker.full, knownFrom: 'memory' });
    }
    return out;
  }

  /** The same of what the archive has. False when there was more than could be looked through. */
  private async archived(
    archive: NonNullable<ReturnType<TracingParts['archive']>>,
    { id, from, to, filed }: Known,
    out: Sayings,
  ): Promise<boolean> {
    const stanza = indexed(filed!.stanza);
    const idsOf = (of: typeof stanza): (string | undefined)[] => [of.id, idOfChild(of, 'origin-id', NS.stanzaIds)];
    const own = new Set([id, ...idsOf(stanza)]);
    const later = new Set<string | undefined>();
    const self = from.bare === (to ?? from).bare;
    let count = 0;
    for await (const next of archive.following(filed!.id, FOLLOWING)) {
      count++;
      const other = indexed(next.stanza);
      const sender = other.attr('from') ?? '';
      const forth = sender === from.bare || sender.startsWith(`${from.bare}/`);
      if (forth) for (const each of idsOf(other)) later.add(each);
      const saying = sayingOf(other);
      if (saying.id === undefined || (forth && !self)) continue;
      if (!own.has(saying.id) && !(saying.says === DISPLAYED && later.has(saying.id))) continue;
      note(out, saying.says, { at: next.at, by: sender, knownFrom: 'archive' });
      if (out.delivered && out.displayed) return true;
    }
    return count < FOLLOWING;
  }
}

const SAFE: ReadonlySet<Event['step']> = new Set(['committed', 'offline', 'acknowledged', 'written']);

/** The first one counts. */
function note(out: Sayings, says: number, saying: Saying): void {
  if (says === RECEIVED) out.delivered ??= saying;
  else if (says === DISPLAYED) out.displayed ??= saying;
  else if (says === ERROR) out.error ??= saying;
}

function whereOf({ sent, received, retracted }: Filed): string {
  const where =
    sent && received
      ? 'the archives of both have it'
      : sent
        ? "its sender's archive has it"
        : "its recipient's archive has it";
  return retracted ? `${where}, as a tombstone: its sender retracted it (XEP-0424)` : where;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
