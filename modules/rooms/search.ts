/* Searching the rooms of a service that are listed: extended channel search (XEP-0433 0.1). */
import type { Answer, IqRequest } from '../../src/api/index.ts';
import {
  defineForm,
  field,
  type FormValues,
  NO_PAGING,
  NS,
  pageElement,
  type Paging,
  readPaging,
  StanzaError,
  type StanzaErrorCondition,
  submittedFields,
} from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { type Found, type Order, type RoomsToSearch, searchRooms } from './finding.ts';

export const SEARCH = 'urn:xmpp:channel-search:0:search';
const PARAMS = 'urn:xmpp:channel-search:0:search-params';
const ERROR = 'urn:xmpp:channel-search:0:error';
const ANONYMITY = 'urn:xmpp:channel-search:0:anonymity';
const BY_ADDRESS = '{urn:xmpp:channel-search:0:order}address';
const BY_USERS = '{urn:xmpp:channel-search:0:order}nusers';
const MUC = 'xep-0045';

/** Rooms of a page. */
const MOST = 100;
const MOST_TERMS = 10;
/** Searches at the same time: each reads through all rooms, if it has to. */
const AT_ONCE = 4;

const asked = {
  q: field.text('q', { label: 'Search for', most: 200 }),
  all: field.boolean('all', { label: 'All rooms' }),
  inName: field.boolean('sinname', { label: 'Search in the name' }),
  inDescription: field.boolean('sindescription', { label: 'Search in the description' }),
  inAddress: field.boolean('sinaddress', { label: 'Search in the address' }),
  leastUsers: field.integer('min_users', { label: 'At least so many occupants', minimum: 0, maximum: 1_000_000 }),
} as const;
/** XEP-0433 5.1. What is known of the last two is read by hand, for they have errors of their own. */
const form = defineForm(PARAMS, {
  ...asked,
  types: field.choices('types', { [MUC]: 'Rooms (XEP-0045)' }, { label: 'Types' }),
  key: field.choice('key', { [BY_USERS]: 'Number of occupants', [BY_ADDRESS]: 'Address' }, { label: 'Order by' }),
});
const searchForm = defineForm(PARAMS, asked);

const DEFAULTS = { inName: true, inDescription: true, inAddress: true, leastUsers: 0 } as const;

/** What somebody wants to find. */
interface Wanted extends FormValues<typeof asked> {
  /** In lower case; all of them are to be found. */
  readonly terms: readonly string[];
  readonly order: Order;
  /** Whether rooms are among the types that are wanted at all. */
  readonly rooms: boolean;
}

/** Answers searches of one service. */
export class Search {
  private readonly rooms: RoomsToSearch;
  private running = 0;

  constructor(rooms: RoomsToSearch) {
    this.rooms = rooms;
  }

  async answer({ payload, to }: Pick<IqRequest, 'payload' | 'to'>): Promise<Answer> {
    const x = payload.getChild('x', NS.dataForms);
    // XEP-0433 4.2.1
    if (!x) return xml('search', { xmlns: SEARCH }, form.form({ ...DEFAULTS, types: [MUC], key: BY_USERS }));
    const wanted = readWanted(x);
    if (wanted instanceof StanzaError) return wanted;
    const paging = readPaging(payload) ?? NO_PAGING;
    if (paging instanceof StanzaError) return paging;
    if (this.running === AT_ONCE) return problem('resource-constraint', 'rate-limit', 'Try again in a while.', 5);
    this.running++;
    try {
      return await this.find(to.domain, wanted, paging);
    } finally {
      this.running--;
    }
  }

  private async find(domain: string, wanted: Wanted, { after, before, max }: Paging): Promise<Element> {
    const most = Math.min(max ?? MOST, MOST);
    const page = wanted.rooms
      ? await searchRooms(this.rooms, domain, { most, after, before, order: wanted.order, fits: fitting(wanted) })
      : [];
    return xml(
      'result',
      { xmlns: SEARCH },
      ...page.map(({ room }) => itemOf(room)),
      pageElement({ first: page[0]?.place, last: page.at(-1)?.place }),
    );
  }
}

/** XEP-0433 5.2. */
function itemOf({ jid, config, occupants }: Found): Element {
  const { name, description, language, membersOnly, passwordProtected, whois } = config;
  const said = (tag: string, text: string) => text !== '' && xml(tag, {}, text);
  return xml(
    'item',
    { address: jid },
    said('name', name),
    said('description', description),
    said('language', language),
    xml('nusers', {}, occupants),
    xml('service-type', {}, MUC),
    !membersOnly && !passwordProtected && xml('is-open', {}, 'true'),
    xml('anonymity-mode', {}, whois === 'anyone' ? `{${ANONYMITY}}none` : 'muc_semianonymous'),
  );
}

function readWanted(x: Element): Wanted | StanzaError {
  const raw = submittedFields(x, PARAMS);
  if (raw instanceof StanzaError) return raw;
  const key = raw.get('key')?.[0] ?? BY_USERS;
  // 4.2.2.2
  if (key !== BY_USERS && key !== BY_ADDRESS)
    return problem('feature-not-implemented', 'invalid-sort-key', `Rooms are not ordered by '${key.slice(0, 100)}'.`);
  const read = searchForm.read(x);
  if (read instanceof StanzaError) return read;
  const wanted = { q: '', all: false, ...DEFAULTS, ...read };
  const hasQuery = wanted.q !== '';
  // 4.2.2.6
  if (wanted.all && hasQuery)
    return problem('bad-request', 'conflicting-fields', "Either 'Search for' or 'All rooms'.");
  // 4.2.2.7
  if (!wanted.all && (!hasQuery || !(wanted.inName || wanted.inDescription || wanted.inAddress)))
    return problem('bad-request', 'no-search-conditions', 'What is to be found?');
  const terms = [...new Set(normal(wanted.q).split(/[^\p{L}\p{N}\p{M}._-]+/u))].filter(term =>
    /[\p{L}\p{N}]/u.test(term),
  );
  // 4.2.2.3
  if (hasQuery && (terms.length === 0 || terms.length > MOST_TERMS))
    return problem('bad-request', 'invalid-search-terms', `There are 1 to ${MOST_TERMS} words to search for.`);
  const rooms = raw.get('types')?.includes(MUC) ?? true;
  return { ...wanted, terms, order: key === BY_USERS ? 'users' : 'address', rooms };
}

/** How texts are compared: without regard to case and compatible forms. */
const normal = (text: string): string => text.normalize('NFKC').toLowerCase();

function fitting({ terms, inName, inDescription, inAddress, leastUsers }: Wanted): (room: Found) => boolean {
  return ({ jid, config: { name, description }, occupants }) => {
    if (occupants < leastUsers) return false;
    if (terms.length === 0) return true;
    const text = normal([inName && name, inDescription && description, inAddress && jid].filter(Boolean).join('\n'));
    return terms.every(term => text.includes(term));
  };
}

/** The errors of XEP-0433 4.2.2. */
function problem(condition: StanzaErrorCondition, name: string, text: string, retryAfter?: number): StanzaError {
  const vars = name === 'conflicting-fields' ? [xml('var', {}, 'all'), xml('var', {}, 'q')] : [];
  return new StanzaError(condition, {
    ...(name === 'no-search-conditions' && { type: 'cancel' }),
    ...(name === 'invalid-sort-key' && { type: 'modify' }),
    text,
    application: xml(name, { xmlns: ERROR, 'retry-after': retryAfter }, ...vars),
  });
}
