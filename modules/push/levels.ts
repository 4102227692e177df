/*
 * Of which conversations somebody wants to be told (XEP-0492): rooms have it in their bookmarks (XEP-0402), others in a node of the account
 * (docs/protocol.md).
 */
import { andThen, Lru, type MaybePromise } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { type Element, parseElement } from '../../src/xml/index.ts';
import type { NodeEvent, PubsubApi } from '../pubsub/contract.ts';
import { BOOKMARKS, CHATS, NOTIFY } from './namespaces.ts';

export type Level = 'always' | 'never' | 'on-mention';

const LEVELS: readonly string[] = ['always', 'never', 'on-mention'];
const CACHED = 20_000;

/** What is kept for one conversation. */
export interface Chosen {
  /** As elements of XEP-0492 2.1, in their order. */
  readonly settings: readonly { readonly level: Level; readonly category?: string; readonly type?: string }[];
  /** The nickname that a bookmark has. */
  readonly nick: string | undefined;
}

const NOTHING: Chosen = { settings: [], nick: undefined };

export class Levels {
  private readonly pubsub: () => PubsubApi | undefined;
  private readonly known = new Lru<string, Chosen>(CACHED);
  private changes = 0;

  constructor(pubsub: () => PubsubApi | undefined) {
    this.pubsub = pubsub;
  }

  /** What an account has chosen for a conversation. */
  of(account: Jid, chat: Jid, isRoom: boolean): MaybePromise<Chosen> {
    const key = keyOf(account, chat.bare);
    const known = this.known.get(key);
    if (known) return known;
    const pubsub = this.pubsub();
    if (!pubsub) return NOTHING;
    const { changes } = this;
    return andThen(this.read(pubsub, account, chat, isRoom), chosen => {
      if (changes === this.changes) this.known.set(key, chosen);
      return chosen;
    });
  }

  private async read(pubsub: PubsubApi, account: Jid, chat: Jid, isRoom: boolean): Promise<Chosen> {
    const bookmark = isRoom ? await payload(pubsub, account, BOOKMARKS, chat) : undefined;
    const nick = bookmark?.getChildText('nick') ?? undefined;
    const settings = settingsIn(bookmark?.getChild('extensions'));
    if (settings.length > 0) return { settings, nick };
    return { settings: settingsIn(await payload(pubsub, account, CHATS, chat)), nick };
  }

  /** A client, or anybody, has changed a node of an account. */
  changed({ account, node, published, retracted, emptied }: NodeEvent): void {
    if (node !== BOOKMARKS && node !== CHATS) return;
    this.changes++;
    if (emptied) this.known.clear();
    for (const id of [...published.map(item => item.id), ...retracted]) this.known.delete(keyOf(account, id));
  }
}

const keyOf = (account: Jid, chat: string): string => `${account.bare} ${chat}`;

async function payload(pubsub: PubsubApi, account: Jid, node: string, chat: Jid): Promise<Element | undefined> {
  const item = await pubsub.item(account, node, chat.bare);
  return item && item.payload !== '' ? parseElement(item.payload, '') : undefined;
}

function settingsIn(parent: Element | null | undefined): Chosen['settings'] {
  const children = parent?.getChild('notify', NOTIFY)?.getChildElements() ?? [];
  return children
    .filter(child => LEVELS.includes(child.name))
    .map(({ name, attrs }) => ({
      level: name as Level,
      category: attrs['identity-category'],
      type: attrs['identity-type'],
    }));
}

/** XEP-0492 3: what is said most specifically for a client of that kind; undefined where nothing is. */
export function levelFor({ settings }: Chosen, identityType: string): Level | undefined {
  const own = settings.filter(({ category }) => category === 'client');
  const found =
    own.find(({ type }) => type === identityType) ??
    own.find(({ type }) => type === undefined) ??
    settings.find(({ category, type }) => category === undefined && type === undefined);
  return found?.level;
}
