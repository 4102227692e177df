/*
 * The inbox (XEP-0430): an account's conversations, the last message of each and how many are unread. All of it follows from the archive
 * and from what the account's clients have displayed (XEP-0333).
 */
import { attached, defineModule, defineOptions, InTurn, option, plain, type SessionView } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { Archive, firstKeyAt, paces } from '../archive/contract.ts';
import { Answering } from './answering.ts';
import { Inboxes } from './inboxes.ts';
import { type Beside, type BesideSource, Inbox } from './contract.ts';
import { displayedId, noteDisplayed, noteDisplayedId, noteMarker, noteRecent } from './markers.ts';
import { INBOX, readInboxQuery } from './request.ts';
import { displayedStore } from './store.ts';
import { Updates } from './updates.ts';

export default defineModule({
  name: 'inbox',
  doc: "Tells each account's clients its conversations, with the last message of each and the number of those unread.",
  xeps: [
    { number: 430, version: '0.2.0', note: 'With updates; what is said in docs/inbox.md.' },
    { number: 333, version: '1.0.0', note: 'What an account has displayed is known to the server.' },
  ],
  after: ['archive'],
  options: defineOptions({
    page: option.integer({
      default: 250,
      minimum: 1,
      maximum: 10_000,
      doc: 'Conversations of one answer; clients that ask for more get so many.',
      reload: 'live',
    }),
    remembered: option.integer({
      default: 200_000,
      minimum: 0,
      maximum: 10_000_000,
      doc: 'Conversations of the node that are kept in memory, so that an inbox that is asked for again need not be looked up again.',
    }),
  }),
  stores: { displayed: displayedStore },
  setup(mod) {
    const { displayed } = mod.stores;
    const has = (host: string): boolean => mod.maybe(Archive) !== undefined && mod.node.moduleEnabled('archive', host);
    mod.feature('account', INBOX, has);

    let inboxes: Inboxes | undefined;
    function changed(owner: number, peer: number): void {
      updates.touch(owner, peer, inboxes!.remembered(owner, peer));
      inboxes!.changed(owner, peer);
    }

    let sources: readonly BesideSource[] = [];
    const others = async (account: Jid): Promise<readonly Beside[]> => {
      const all = (await Promise.all(sources.map(each => each.all(account)))).flat();
      updates.answered(account, all);
      return all;
    };
    const updates = new Updates({
      inboxes: () => inboxes,
      shelf: async account => current()?.shelf(account),
      one: async (account, jid) => {
        for (const source of sources) {
          const found = await source.one(account, jid);
          if (found) return found;
        }
        return undefined;
      },
      own: async (account, bare) => {
        const source = current();
        const peer = await source?.numberOf(parseJid(bare)!);
        if (!source || !inboxes || peer === undefined) return undefined;
        const row = (await inboxes.of(await source.shelf(account))).rows.get(peer);
        if (row) await inboxes.name(account, [row]);
        return row?.id === undefined ? undefined : { unread: row.unread, id: row.id };
      },
      failed: error => mod.log.error({ err: error }, 'clients could not be told what changed in an inbox'),
    });
    mod.cleanup(() => updates.end());
    const note = async (message: Parameters<typeof noteMarker>[2]): Promise<void> => {
      const source = current();
      const moved = source && (await noteMarker(source, displayed, message));
      if (moved && inboxes) changed(moved.owner, moved.peer);
    };
    const current = attached(mod, Archive, archive => {
      inboxes = new Inboxes(archive, displayed, mod.options().remembered);
      const stopListening = archive.conversations.onChanged(changed);
      const stopImporting = archive.onImported(note);
      return () => {
        stopListening();
        stopImporting();
        inboxes = undefined;
      };
    });
    const source = current();
    // a marker is acknowledged when it is in the archive: from there it is noted if it was not when the program ended
    if (source)
      noteRecent(source, note).catch((error: unknown) =>
        mod.log.error({ err: error }, 'what clients displayed before the start may not be known'),
      );

    // ---- what clients ask -----------------------------------------------------------------------------------------------------

    /** The markers of each account that are being noted, one after the other. */
    const marking = new InTurn();
    const watching = mod.perSession<boolean>(() => false, plain());
    const answering = new Answering(paces(mod));

    mod.iq({ xmlns: INBOX, name: 'inbox', type: 'get', to: 'account' }, async request => {
      const { to, session, packet } = request;
      const source = current();
      if (!source || !inboxes || !has(to.domain)) return refuse('service-unavailable');
      if (!session) return refuse('not-allowed');
      const query = readInboxQuery(request.payload);
      if (query instanceof StanzaError) return query;
      const account = to.toBare();
      // what its clients have said before is known
      await marking.ended(account.bare);
      const shelf = await source.shelf(account);
      watching.set(session, true);
      updates.watch(shelf.owner, account, session);
      const { page } = mod.options(to.domain);
      const asked = { query, id: packet.id, most: page };
      return updates.during(session, async () =>
        answering.query(source, inboxes!, asked, account, shelf, session, await others(account)),
      );
    });
    mod.when('ended', session => updates.unwatch(session));
    mod.when('resumed', session => updates.catchUp(session));
    // those that had asked before the module was reloaded, or the program was started again
    const watchAgain = async (session: SessionView): Promise<void> => {
      if (!watching.get(session)) return;
      const { jid } = session.user;
      const shelf = await current()?.shelf(jid);
      if (shelf) updates.watch(shelf.owner, jid, session, firstKeyAt(session.since));
    };
    mod.when('restored', watchAgain);
    for (const { sessions } of mod.node.users())
      for (const session of sessions)
        watchAgain(session).catch((error: unknown) =>
          mod.log.error({ err: error }, 'a client is told no more of its inbox'),
        );

    // ---- what they have displayed ---------------------------------------------------------------------------------------------

    mod.on('received', 'tap', { kind: 'message', to: ['host', 'bare', 'full', 'foreign'] }, (packet, session) => {
      if (!packet.stanza.hasNamespace(NS.chatMarkers) || session.anonymous || !has(packet.from.domain)) return;
      const id = displayedId(packet);
      const source = current();
      if (id === undefined || !source) return;
      const { from, to } = packet;
      const account = from.toBare();
      marking
        .run(account.bare, async () => {
          const moved = await noteDisplayed(source, displayed, account, to!.toBare(), id);
          if (moved) changed(moved.owner, moved.peer);
        })
        .catch((error: unknown) => mod.log.error({ err: error }, 'what a client has displayed could not be kept'));
    });

    mod.provide(Inbox, {
      watching: updates.watching,
      changed: (account, jid) => updates.touchBeside(account, jid),
      beside: one => {
        sources = [...sources, one];
        return () => {
          sources = sources.filter(each => each !== one);
        };
      },
      displayed: async (account, correspondent, stanzaId) => {
        const source = current();
        if (!source || !has(account.domain)) return;
        const moved = await noteDisplayedId(source, displayed, account, correspondent, stanzaId);
        if (moved) changed(moved.owner, moved.peer);
      },
    });

    mod.when('accountRemoved', async account => {
      await marking.ended(account.bare);
      const owner = await current()?.numberOf(account);
      if (owner !== undefined) await displayed.remove(owner);
    });
  },
});
