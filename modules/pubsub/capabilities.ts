import { Loaded, type Mod, type Packet, type SessionView, type Slot, wireJid } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { type Element, wireAttribute } from '../../src/xml/index.ts';
import { capsHash, type Described } from '../disco/contract.ts';
import type { CapabilitiesStore } from './capabilities-store.ts';

const NOTIFY = '+notify';
/** Nodes that one client may want to be told of, and characters of a name. */
const MOST = 500;
const LONGEST = 1024;
/** Milliseconds after which another client with the same capabilities is asked. */
const PATIENCE = 20_000;
const REMEMBERED = 10_000;
/** XEP-0115 4, by the names of Node. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  'sha-1': 'sha1',
  'sha-224': 'sha224',
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
};
const NONE: ReadonlySet<string> = new Set();

interface State {
  /** What the client calls its capabilities. */
  readonly key: string | undefined;
  /** The nodes that it wants to be told of. */
  readonly nodes: ReadonlySet<string>;
  readonly learned: boolean;
}

/** What a client shows of its capabilities in presence (XEP-0115 4). */
interface Shown {
  /** Hash function and hash; without a hash it is of no use for other clients. */
  readonly key: string;
  readonly algorithm: string | undefined;
  readonly ver: string;
  readonly node: string;
}

interface Question {
  readonly shown: Shown;
  /** Who is asked now, and who else has these capabilities. */
  session: SessionView;
  readonly waiting: SessionView[];
  timer: NodeJS.Timeout | undefined;
}

/**
 * Of which nodes each client of this node wants to be told (XEP-0060 9.2). One client of each kind is asked once; what it says is checked
 * against its hash, remembered, and holds for all that show the same hash.
 */
export class Capabilities {
  private readonly store: CapabilitiesStore;
  private readonly slot: Slot<State>;
  private readonly log: Mod['log'];
  /** A client wants to be told of nodes that it did not want before. */
  private readonly gained: (session: SessionView, nodes: ReadonlySet<string>) => void;
  private readonly known = new Loaded<ReadonlySet<string>>(REMEMBERED);
  private readonly questions = new Map<string, Question>();
  /** Questions by the id of the request. */
  private readonly asked = new Map<string, { readonly question: Question; readonly session: SessionView }>();
  private ids = 0;

  constructor(
    mod: Pick<Mod, 'log' | 'perSession'>,
    store: CapabilitiesStore,
    gained: (session: SessionView, nodes: ReadonlySet<string>) => void,
  ) {
    this.store = store;
    this.log = mod.log;
    this.gained = gained;
    this.slot = mod.perSession<State>(() => ({ key: undefined, nodes: NONE, learned: false }), {
      write: ({ key, nodes, learned }) => (learned && nodes.size > 0 ? { key, nodes: [...nodes] } : undefined),
      read: json => {
        const { key, nodes } = json as { key: string; nodes: string[] };
        return { key, nodes: new Set(nodes), learned: true };
      },
    });
  }

  /** The nodes that a client wants to be told of. */
  wanted(session: SessionView): ReadonlySet<string> {
    return this.slot.get(session).nodes;
  }

  wants(session: SessionView, node: string): boolean {
    return session.presence !== undefined && this.slot.get(session).nodes.has(node);
  }

  /** A client has shown itself. */
  shown(packet: Packet, session: SessionView): void {
    const shown = packet.type === 'unavailable' ? undefined : readShown(packet);
    const state = this.slot.get(session);
    if (shown?.key === state.key) return;
    // what it wanted holds until it is known what it wants now
    this.slot.set(session, { key: shown?.key, nodes: shown ? state.nodes : NONE, learned: false });
    if (!shown) return;
    const found = this.known.get(shown.key) ?? this.known.load(shown.key, this.remembered(shown));
    if (!(found instanceof Promise)) return this.learned(session, shown.key, found);
    found.then(
      nodes => this.learned(session, shown.key, nodes),
      (reason: unknown) => {
        if (!(reason instanceof Unknown))
          this.log.warn({ err: reason }, 'what clients want to be told could not be looked up');
        this.ask(shown, session);
      },
    );
  }

  /** From the database; rejects with `Unknown` where nothing is there. */
  private async remembered({ key, algorithm }: Shown): Promise<ReadonlySet<string>> {
    const nodes = algorithm === undefined ? undefined : await this.store.get(key);
    if (nodes) return new Set(nodes);
    throw new Unknown();
  }

  private learned(session: SessionView, key: string, nodes: ReadonlySet<string>): void {
    const state = this.slot.get(session);
    if (!session.alive || state.key !== key || state.learned) return;
    this.slot.set(session, { key, nodes, learned: true });
    const more = state.nodes.size === 0 ? nodes : new Set([...nodes].filter(node => !state.nodes.has(node)));
    if (more.size > 0) this.gained(session, more);
  }

  private ask(shown: Shown, session: SessionView): void {
    const { key } = shown;
    const open = this.questions.get(key);
    if (open) {
      open.waiting.push(session);
      return;
    }
    const question: Question = { shown, session, waiting: [], timer: undefined };
    this.questions.set(key, question);
    this.put(question);
  }

  private put(question: Question): void {
    const { session, shown } = question;
    const id = `caps-${++this.ids}-${Math.random().toString(36).slice(2, 10)}`;
    this.asked.set(id, { question, session });
    const node = wireAttribute('node', `${shown.node}#${shown.ver}`);
    session.sendWire(
      `<iq type='get' id='${id}' from='${session.jid.domain}' to='${wireJid(session.jid)}'>` +
        `<query xmlns='${NS.discoInfo}'${node}/></iq>`,
    );
    question.timer = setTimeout(() => this.next(question), PATIENCE).unref();
  }

  /** Asks the next who has the same capabilities. */
  private next(question: Question): void {
    clearTimeout(question.timer);
    for (let other = question.waiting.shift(); other; other = question.waiting.shift()) {
      if (!other.alive || this.slot.get(other).key !== question.shown.key) continue;
      question.session = other;
      return this.put(question);
    }
    this.end(question);
  }

  private end(question: Question): void {
    clearTimeout(question.timer);
    if (this.questions.get(question.shown.key) === question) this.questions.delete(question.shown.key);
  }

  /** Whether an IQ of a client for its host is an answer to a question from here. */
  answered(packet: Packet, session: SessionView): boolean {
    if ((packet.type !== 'result' && packet.type !== 'error') || this.asked.size === 0) return false;
    const asked = this.asked.get(packet.id ?? '');
    if (asked?.session !== session) return false;
    this.asked.delete(packet.id!);
    const { question } = asked;
    const { shown } = question;
    const kid = packet.type === 'result' ? packet.child('query', NS.discoInfo) : undefined;
    const said = kid === undefined ? undefined : readInfo(packet.stanza.kidElement(kid));
    if (!said) {
      if (question.session === session) this.next(question);
      return true;
    }
    const nodes = nodesOf(said);
    if (shown.algorithm === undefined || capsHash(said, ALGORITHMS[shown.algorithm]) !== shown.ver) {
      // XEP-0115 5.4: it holds for the one who said it, and for nobody else
      this.learned(session, shown.key, nodes);
      if (question.session === session) this.next(question);
      return true;
    }
    this.known.set(shown.key, nodes);
    this.store
      .put(shown.key, [...nodes], Date.now())
      .catch((error: unknown) => this.log.warn({ err: error }, 'what clients want to be told could not be stored'));
    for (const one of [session, question.session, ...question.waiting.splice(0)]) this.learned(one, shown.key, nodes);
    this.end(question);
    return true;
  }

  /** A session is over: it answers nothing any more. */
  ended(session: SessionView): void {
    for (const [id, { question, session: other }] of this.asked) {
      if (other !== session) continue;
      this.asked.delete(id);
      if (question.session === session) this.next(question);
    }
  }

  close(): void {
    for (const { timer } of this.questions.values()) clearTimeout(timer);
  }
}

class Unknown extends Error {}

function readShown(packet: Packet): Shown | undefined {
  const kid = packet.child('c', NS.caps);
  if (kid === undefined) return undefined;
  const { hash, ver = '', node = '' } = packet.stanza.kidElement(kid).attrs as Record<string, string | undefined>;
  if (ver === '' || ver.length > 200 || node.length > LONGEST) return undefined;
  const algorithm = hash !== undefined && Object.hasOwn(ALGORITHMS, hash) ? hash : undefined;
  // without a hash that can be checked it says something of this client alone
  return { key: algorithm === undefined ? `${node} ${ver}` : `${algorithm} ${ver}`, algorithm, ver, node };
}

/** XEP-0115 5.4: undefined for what must not be taken for the capabilities of others. */
function readInfo(query: Element): Described | undefined {
  const identities = query.getChildren('identity');
  const features = query.getChildren('feature').map(({ attrs }) => String(attrs.var ?? ''));
  const forms = query
    .getChildren('x', NS.dataForms)
    .filter(form =>
      form.getChildren('field').some(({ attrs }) => attrs.var === 'FORM_TYPE' && attrs.type === 'hidden'),
    );
  const names = identities.map(({ attrs }) =>
    [attrs.category, attrs.type, attrs['xml:lang'] ?? '', attrs.name ?? ''].join('/'),
  );
  if (new Set(features).size < features.length || new Set(names).size < names.length) return undefined;
  return { identities, features, forms };
}

function nodesOf({ features }: Described): ReadonlySet<string> {
  const nodes = new Set<string>();
  for (const feature of features) {
    if (!feature.endsWith(NOTIFY) || feature.length > LONGEST || nodes.size >= MOST) continue;
    nodes.add(feature.slice(0, -NOTIFY.length));
  }
  return nodes;
}
