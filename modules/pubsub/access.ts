import { andThen, type MaybePromise, type NodeView } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { refuse, type StanzaError } from '../../src/protocol/index.ts';
import type { RosterItem, RosterService } from '../roster/contract.ts';
import { PRESENCE_REQUIRED, refusal } from './names.ts';
import { type Affiliation, isPersonal, ownersOf, type PubsubNode } from './node.ts';

const OUTCAST = refuse('forbidden', 'You are banned from the node.');
const PUBLISH_ONLY = refuse('forbidden', 'You may publish there, and no more.');
const NOT_IN_GROUP = refusal('not-authorized', 'not-in-roster-group');
const CLOSED = refusal('not-allowed', 'closed-node');
const NOT_A_SUBSCRIBER = refusal('not-authorized', 'not-subscribed');
const NO_PUBLISHER = refuse('forbidden', 'You may not publish there.');

/** Who may do what: XEP-0060 4.1, 4.5. Errors are those of 6.1.3, 6.5.9 and 7.1.3; undefined means that it is allowed. */
export class Access {
  private readonly roster: () => RosterService | undefined;
  private readonly node: Pick<NodeView, 'hosts' | 'isAdmin'>;
  private readonly hostOf: (domain: string) => string | undefined;

  constructor(
    node: Pick<NodeView, 'hosts' | 'isAdmin'>,
    roster: () => RosterService | undefined,
    hostOf: (domain: string) => string | undefined,
  ) {
    this.node = node;
    this.roster = roster;
    this.hostOf = hostOf;
  }

  /** An administrator of the host is an owner of every node at its service, but not of those of accounts. */
  affiliation(node: PubsubNode, who: Jid): Affiliation {
    if (isPersonal(node)) {
      if (who.bare === node.service.bare) return 'owner';
    } else {
      const host = this.hostOf(node.service.domain);
      if (host !== undefined && this.node.isAdmin(who.toBare(), host)) return 'owner';
    }
    return node.affiliations.get(who.bare) ?? 'none';
  }

  isOwner(node: PubsubNode, who: Jid): boolean {
    return this.affiliation(node, who) === 'owner';
  }

  /** Whether an account lets somebody see its presence: who may not, learns nothing of it. */
  sees(account: Jid, who: Jid): MaybePromise<boolean> {
    return who.bare === account.bare || (this.roster()?.hasSubscriptionFrom(account, who) ?? false);
  }

  /** XEP-0060 6.5.1. `contact`: who that is to the account of a personal node, where it is known already. */
  retrieve(node: PubsubNode, who: Jid, contact?: RosterItem): MaybePromise<StanzaError | undefined> {
    const special = this.byAffiliation(node, who);
    if (special !== undefined) return special === 'may' ? undefined : special;
    if (node.config.accessModel === 'authorize') return isSubscribed(node, who) ? undefined : NOT_A_SUBSCRIBER;
    return this.byModel(node, who, contact);
  }

  /** XEP-0060 6.1.3; 'authorize' where an owner has to be asked. */
  subscribe(node: PubsubNode, who: Jid): MaybePromise<StanzaError | 'authorize' | undefined> {
    const special = this.byAffiliation(node, who);
    if (special !== undefined) return special === 'may' ? undefined : special;
    return node.config.accessModel === 'authorize' ? 'authorize' : this.byModel(node, who);
  }

  /** XEP-0060 7.1.3.1. */
  publish(node: PubsubNode, who: Jid): MaybePromise<StanzaError | undefined> {
    switch (this.affiliation(node, who)) {
      case 'owner':
      case 'publisher':
      case 'publish-only':
        return undefined;
      case 'outcast':
        return OUTCAST;
      default:
        break;
    }
    const { publishModel } = node.config;
    if (publishModel === 'open') return undefined;
    if (publishModel === 'publishers') return NO_PUBLISHER;
    if (isSubscribed(node, who)) return undefined;
    // XEP-0060 9.1.2: who sees an account's presence is subscribed to what it may read
    if (!isPersonal(node)) return NO_PUBLISHER;
    return andThen(this.retrieve(node, who), refused => (refused ? NO_PUBLISHER : undefined));
  }

  private byAffiliation(node: PubsubNode, who: Jid): StanzaError | 'may' | undefined {
    switch (this.affiliation(node, who)) {
      case 'owner':
      case 'publisher':
      case 'member':
        return 'may';
      case 'outcast':
        return OUTCAST;
      case 'publish-only':
        return PUBLISH_ONLY;
      default:
        return undefined;
    }
  }

  private byModel(node: PubsubNode, who: Jid, contact?: RosterItem): MaybePromise<StanzaError | undefined> {
    const { accessModel, rosterGroupsAllowed } = node.config;
    switch (accessModel) {
      case 'open':
        return undefined;
      case 'presence':
        return contact && seesPresence(contact) ? undefined : this.some(node, who, PRESENCE_REQUIRED, seesPresence);
      case 'roster': {
        const isInGroup = (item: RosterItem): boolean =>
          seesPresence(item) && item.groups.some(group => rosterGroupsAllowed.includes(group));
        return contact && isInGroup(contact) ? undefined : this.some(node, who, NOT_IN_GROUP, isInGroup);
      }
      default:
        return CLOSED;
    }
  }

  /** Whether somebody is such a contact of an owner. */
  private some(
    node: PubsubNode,
    who: Jid,
    otherwise: StanzaError,
    test: (item: RosterItem) => boolean,
  ): MaybePromise<StanzaError | undefined> {
    const roster = this.roster();
    if (!roster) return otherwise;
    const { hosts } = this.node;
    const owners = ownersOf(node).filter(owner => hosts.has(owner.slice(owner.indexOf('@') + 1)));
    const look = (at: number): MaybePromise<StanzaError | undefined> => {
      const owner = at < owners.length ? parseJid(owners[at]!) : undefined;
      if (!owner) return otherwise;
      return andThen(roster.item(owner, who), item => (item && test(item) ? undefined : look(at + 1)));
    };
    return look(0);
  }
}

/** Whether a contact may see the presence of the account. */
export function seesPresence({ subscription }: RosterItem): boolean {
  return subscription === 'from' || subscription === 'both';
}

/** Whether somebody, by whichever address, is subscribed. */
function isSubscribed(node: PubsubNode, who: Jid): boolean {
  for (const { jid, state } of node.subscriptions.values())
    if (state === 'subscribed' && jid.bare === who.bare) return true;
  return false;
}
