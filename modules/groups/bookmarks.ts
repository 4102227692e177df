/* The groups of an account among its bookmarks (XEP-0402), on all of its devices: kept by the server. docs/groups.md */
import type { Logger } from 'pino';
import { InTurn, type NodeView } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { type Element, parseElement, xml } from '../../src/xml/index.ts';
import type { BookmarksService } from '../bookmarks/contract.ts';
import { MAX, type PubsubApi } from '../pubsub/contract.ts';
import { GROUPS } from './errors.ts';
import type { Group } from './groups.ts';

const BOOKMARKS = 'urn:xmpp:bookmarks:1';
/** XEP-0402 4.3: for the account alone. */
const CONFIG = { persistItems: true, accessModel: 'whitelist', maxItems: MAX, sendLastPublishedItem: 'never' } as const;

/** A group as its members have it among their bookmarks. */
export interface Bookmarked {
  readonly room: Jid;
  readonly name: string;
  readonly group: Pick<Group, 'kind' | 'number'>;
}

export interface BookmarksParts {
  readonly node: NodeView;
  readonly log: Logger;
  pubsub(): PubsubApi | undefined;
  /** What makes items of lists from before there were any. */
  lists(): BookmarksService | undefined;
  /** Whether accounts of a host have them kept. */
  kept(host: string): boolean;
}

export class Bookmarks {
  private readonly parts: BookmarksParts;
  /** What is under way for each account: one after the other. */
  private readonly working = new InTurn();

  constructor(parts: BookmarksParts) {
    this.parts = parts;
  }

  /** Whether there is anything that they are kept in. */
  get there(): boolean {
    return this.parts.pubsub() !== undefined;
  }

  /** Whether they are kept for an account. */
  keptFor({ domain }: Jid): boolean {
    const { node, pubsub, kept } = this.parts;
    return pubsub() !== undefined && node.hosts.has(domain) && kept(domain);
  }

  /**
   * An account belongs to a group: it has a bookmark, its own if it had one, with the name that the group has. False when that could not
   * be kept; it is logged.
   */
  add(account: Jid, nick: string, { room, name, group }: Bookmarked): Promise<boolean> {
    return this.change(account, async nodes => {
      await this.parts.lists()?.adopt(account);
      const before = await bookmark(nodes, account, room);
      if (before && before.attrs.name === (name || undefined)) return;
      const own = xml('group', { xmlns: GROUPS, kind: group.kind, number: group.number });
      const element = before ?? xml('conference', { xmlns: BOOKMARKS, autojoin: 'true' });
      if (!before && nick !== '') element.append(xml('nick', {}, nick));
      if (!before) element.append(xml('extensions', {}, own));
      element.attrs.name = name || undefined;
      await nodes.publish(account, BOOKMARKS, [{ id: room.bare, payload: element }], CONFIG);
    });
  }

  /** It belongs to it no more. */
  remove(account: Jid, room: Jid): Promise<boolean> {
    return this.change(account, async nodes => {
      await nodes.retract(account, BOOKMARKS, [room.bare]);
    });
  }

  private change(account: Jid, job: (nodes: PubsubApi) => Promise<void>): Promise<boolean> {
    const { node, log, pubsub } = this.parts;
    const nodes = pubsub();
    if (!nodes || !this.keptFor(account)) return Promise.resolve(true);
    return this.working
      .run(account.bare, async () => {
        if (await node.accounts.exists(account)) await job(nodes);
        return true;
      })
      .catch((error: unknown) => {
        log.error({ err: error }, 'a group is not as it is among the bookmarks of a member');
        return false;
      });
  }

  /** Resolved when nothing is under way. */
  done(): Promise<void> {
    return this.working.idle();
  }
}

async function bookmark(nodes: PubsubApi, account: Jid, room: Jid): Promise<Element | undefined> {
  const item = await nodes.item(account, BOOKMARKS, room.bare);
  const element = item && item.payload !== '' ? parseElement(item.payload, '') : undefined;
  return element?.name === 'conference' ? element : undefined;
}
