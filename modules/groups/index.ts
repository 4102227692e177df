/*
 * Groups: the rules of a chat platform on top of rooms (docs/groups.md). A group is a persistent room; who belongs to it is who has an
 * affiliation of member or above. Everything is done through modules/rooms/contract.ts, in the room's order.
 */
import { attached, defineModule, defineOptions } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { Archive } from '../archive/contract.ts';
import { Bookmarks as BookmarkLists } from '../bookmarks/contract.ts';
import { Inbox } from '../inbox/contract.ts';
import { Pubsub } from '../pubsub/contract.ts';
import { atLeast, Rooms } from '../rooms/contract.ts';
import { Roster } from '../roster/contract.ts';
import { allowCommand, allowOperation } from './allowances.ts';
import { Bookmarks } from './bookmarks.ts';
import { listApplications } from './applications.ts';
import { offerCommands } from './commands.ts';
import { Cursors } from './cursors.ts';
import { DueBookmarks } from './due.ts';
import { Endings } from './endings.ts';
import { GROUPS } from './errors.ts';
import { serviceCommands } from './founding.ts';
import { groupCommands } from './group-commands.ts';
import { Groups } from './groups.ts';
import { InInbox } from './in-inbox.ts';
import { Live } from './live.ts';
import { Membership } from './membership.ts';
import { groupOptions } from './options.ts';
import { groupRules } from './rules.ts';
import { groupStore } from './store.ts';
import { Sweeping } from './sweeping.ts';

/** How often what is active is written down, and idle discussions end, in ms. */
const ROUND = 60_000;

export default defineModule({
  name: 'groups',
  doc: 'Groups that people belong to: who founds how many, joins, leaves, transfers and ends them; discussion groups.',
  needs: ['rooms'],
  after: ['archive', 'blocking', 'bookmarks', 'inbox', 'pubsub', 'roster'],
  options: defineOptions(groupOptions),
  stores: { groups: groupStore },
  setup(mod) {
    const store = mod.stores.groups;
    const { node } = mod;
    const rooms = mod.use(Rooms);
    const options = (host: string) => mod.options(host);
    const enabled = (host: string): boolean => mod.enabled(host);
    const groups = new Groups({ node, store, options, enabled, now: () => Date.now() });
    const endings = new Endings(node, store, mod.log);
    const rules = groupRules(groups, endings);
    const live = new Live(mod);
    const bookmarks = new Bookmarks({
      node,
      log: mod.log,
      pubsub: () => mod.maybe(Pubsub),
      lists: () => mod.maybe(BookmarkLists),
      kept: host => enabled(host) && options(host).bookmarks,
    });
    const cursors = new Cursors({
      groups,
      rooms,
      archive: () => mod.maybe(Archive),
      moved: (account, room) => inInbox.changed(account, room),
    });
    const inInbox = new InInbox(cursors);
    const membership = new Membership(groups, bookmarks, live, mod.log);
    const due = new DueBookmarks({ store: store.due, rooms, bookmarks, membership, log: mod.log, enabled });
    const sweeping = new Sweeping({ rooms, groups, endings, log: mod.log });

    const forgetCursor = (room: Jid, account: Jid): void => {
      store.cursors
        .forget(room, account)
        .catch((error: unknown) => mod.log.error({ err: error }, 'what somebody has read of a group may be kept'));
    };

    mod.cleanup(() => endings.done());
    mod.cleanup(() => bookmarks.done());
    mod.cleanup(() => due.done());
    mod.cleanup(rooms.guard({ ...rules, takes: (room, packet) => cursors.takes(room, packet) }));
    attached(mod, Inbox, inbox => inInbox.attach(inbox));
    const toGroup = { xmlns: GROUPS, to: 'bare' } as const;
    mod.cleanup(rooms.iq({ ...toGroup, name: 'read', type: 'set', answer: request => cursors.note(request) }));
    mod.cleanup(
      rooms.iq({
        ...toGroup,
        name: 'applications',
        type: 'get',
        answer: request => listApplications(rooms, groups, request),
      }),
    );
    mod.cleanup(rooms.iq({ ...toGroup, name: 'cursors', type: 'get', answer: request => cursors.list(request) }));
    mod.iq({ xmlns: GROUPS, name: 'groups', type: 'get', to: 'account' }, request => cursors.groupsOf(request));
    mod.feature('account', GROUPS);
    mod.cleanup(
      rooms.listen({
        changing: change => due.changing(change),
        created: room => due.followed(room.jid, 'created', membership.all(room, true)),
        affiliated: (room, steps) => {
          live.changed(room);
          inInbox.affiliated(room);
          due.followed(room.jid, 'affiliated', membership.steps(room, steps));
          if (!room.config.persistent) return;
          for (const { jid, before, after } of steps)
            if (atLeast(before, 'member') && !atLeast(after, 'member')) {
              forgetCursor(room.jid, jid);
              inInbox.changed(jid, room.jid);
            }
        },
        configured: (room, before) => {
          if (before.persistent && !room.config.persistent) {
            groups.forget(room);
            store.remove(room.jid).catch((error: unknown) => mod.log.error({ err: error }, 'a group may be kept'));
            due.followed(room.jid, 'configured', membership.gone(room.jid, room.affiliated()));
          } else if (room.config.persistent && (!before.persistent || before.name !== room.config.name)) {
            due.followed(room.jid, 'configured', membership.all(room, !before.persistent));
          }
        },
        destroyed: room => {
          if (!room.config.persistent) return;
          endings.gone(room);
          for (const { jid } of room.affiliated) inInbox.changed(jid, room.jid);
          due.followed(room.jid, 'destroyed', membership.gone(room.jid, room.affiliated));
        },
        said: (room, packet) => {
          if (!room.config.persistent) return;
          // groups of the other kind do not end for being idle
          if (groups.knownKind(room) !== 'group') sweeping.said(room.jid);
          inInbox.said(room);
          return live.said(room, packet);
        },
      }),
    );
    mod.cleanup(
      offerCommands({
        rooms,
        groupOf: room => groups.of(room),
        enabled,
        service: serviceCommands({ groups, rooms, roster: () => mod.maybe(Roster) }),
        group: groupCommands({ groups, endings, rules, announce: (room, inner) => void live.announce(room, inner) }),
      }),
    );
    mod.cleanup(rooms.disco({ features: host => (enabled(host) ? [GROUPS] : []) }));

    const allowances = { node, store, options, domainOf: (host: string) => rooms.domainOf(host) };
    mod.add('gauges', {
      name: 'posthouse_groups_live_sessions',
      help: 'Sessions that get what is said in groups without having entered.',
      read: () => live.size,
    });
    mod.add('operations', allowOperation(allowances));
    mod.add('commands', allowCommand(allowances));

    mod.when('accountRemoved', async account => {
      const muted = await store.mutedIn(account);
      await store.forgetAccount(account);
      for (const jid of muted) await rooms.with(parseJid(jid)!, room => room && groups.unmute(room, account));
    });

    let agreed: Promise<void> | undefined;
    const look = async (): Promise<void> => {
      agreed ??= endings
        .catchUp(rooms)
        .then(() => sweeping.agree())
        .then(() => due.catchUp());
      await agreed.catch((error: unknown) => {
        agreed = undefined;
        throw error;
      });
      await sweeping.endIdle([...node.hosts].filter(enabled));
    };
    mod.when('ready', look);
    mod.every(ROUND, look);
    mod.cleanup(() => sweeping.writeActive());
  },
});
