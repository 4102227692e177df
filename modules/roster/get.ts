import {
  type Answer,
  DONE,
  Empty,
  type IqRequest,
  Markup,
  type Packet,
  type SessionView,
  type Slot,
  type Verdict,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS, refuse } from '../../src/protocol/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';
import type { RosterItem } from './contract.ts';
import type { Rosters } from './rosters.ts';
import { itemWire, pushWire, queryWire } from './wire.ts';

/** Contacts of a roster that is answered in one go. */
const LARGE = 50;
/** Contacts of a larger one that are written before others get their turn. */
const SLICE = 200;

let pushes = 0;

export function push(session: SessionView, query: string): void {
  session.sendWire(`<iq type='set' id='push${++pushes}'${wireAttribute('to', session.jid.full)}>${query}</iq>`);
}

/** Answers requests for the roster: RFC 6121 2.2, 2.6. */
export class RosterGet {
  private readonly rosters: Rosters;
  /** Sessions that asked for the roster are told of its changes (2.2). */
  private readonly interested: Slot<boolean>;

  constructor(rosters: Rosters, interested: Slot<boolean>) {
    this.rosters = rosters;
    this.interested = interested;
  }

  answer({ payload, to, session }: IqRequest): Answer | Promise<Answer> {
    if (payload.getChildElements().length > 0) return refuse('bad-request', 'A request for the roster is empty.');
    const ver = payload.attrs.ver as string | undefined;
    return this.rosters.still(to, async roster => {
      const difference = ver === undefined ? 'all' : await this.rosters.difference(to, roster, ver);
      if (difference === 'changes' && session) {
        // behind the answer; and in this session the pushes of what changes from now on come behind these
        setImmediate(() => void this.catchUp(session, to, ver!));
        return Empty;
      }
      if (session) this.interested.set(session, true);
      // 2.6.3: it has not changed
      if (difference === 'none') return Empty;
      const items = [...roster.items.values()].map(itemWire).join('');
      return new Markup(queryWire(items, roster.version));
    });
  }

  /** Tells what changed after that version ("interim roster pushes", 2.6.3), and from then on every change. */
  private catchUp(session: SessionView, account: Jid, version: string): Promise<void> {
    return this.rosters.since(
      account,
      version,
      (contact, item, at) => push(session, pushWire(contact, item, at)),
      () => this.interested.set(session, true),
    );
  }

  /** A client's request for a roster so long that writing it in one go would keep others waiting; other stanzas pass. */
  large(packet: Packet, session: SessionView): Verdict | Promise<Verdict> {
    if (packet.type !== 'get' || !packet.stanza.has('query', NS.roster)) return undefined;
    const account = session.user.jid;
    if (packet.to && packet.to.bare !== account.bare) return undefined;
    const roster = this.rosters.get(account);
    if (!(roster instanceof Promise) && roster.size <= LARGE) return undefined;
    return this.inSlices(packet, session, account);
  }

  private async inSlices(packet: Packet, session: SessionView, account: Jid): Promise<Verdict> {
    const query = packet.stanza.kidElement(packet.child('query', NS.roster)!);
    const ver = query.attrs.ver as string | undefined;
    if (query.getChildElements().length > 0) return undefined;
    const whole = await this.rosters.still(account, async roster => {
      if (roster.items.size <= LARGE) return undefined;
      if (ver !== undefined && (await this.rosters.difference(account, roster, ver)) !== 'all') return undefined;
      return { items: [...roster.items.values()], version: roster.version };
    });
    if (!whole) return undefined;
    const { items, version } = whole;
    const written = await this.write(items);
    const addresses = wireAttribute('from', account.bare) + wireAttribute('to', session.jid.full);
    session.sendWire(
      `<iq type='result'${wireAttribute('id', packet.id!)}${addresses}>${queryWire(written, version)}</iq>`,
    );
    // what changed since it was begun
    await this.catchUp(session, account, String(version));
    return DONE;
  }

  private async write(items: readonly RosterItem[]): Promise<string> {
    let written = '';
    let count = 0;
    for (const item of items) {
      written += itemWire(item);
      if (++count % SLICE === 0) await new Promise(resolve => setImmediate(resolve));
    }
    return written;
  }
}
