/*
 * Service administration (XEP-0133): ad-hoc commands for the administrators that the configuration names. Accounts are in
 * accounts.ts, lists and numbers in statistics.ts, announcements and the message of the day in announcements.ts.
 * Passwords cannot be shown: only salted keys of them are kept.
 */
import { defineModule } from '../../src/api/index.ts';
import { accountCommands } from './accounts.ts';
import { announcementCommands, greet } from './announcements.ts';
import { serviceCommands } from './service.ts';
import { statisticsCommands } from './statistics.ts';
import { administratorsStore, announcementsStore } from './store.ts';

export default defineModule({
  name: 'administration',
  doc: 'Lets administrators manage accounts, sessions and announcements from their client.',
  xeps: [{ number: 133, version: '1.3.1' }],
  needs: ['commands'],
  after: ['roster', 'presence'],
  stores: { announcements: announcementsStore, administrators: administratorsStore },
  setup(mod) {
    const commands = [
      ...accountCommands(mod),
      ...statisticsCommands(mod),
      ...announcementCommands(mod, mod.stores.announcements),
      ...serviceCommands(mod, mod.stores.administrators),
    ];
    for (const command of commands) mod.add('commands', command);
    greet(mod, mod.stores.announcements);
    const { administrators } = mod.stores;
    mod.add('administrators', { of: host => administrators.of(host) });
    // whoever gets the name next has none of its rights
    mod.when('accountRemoved', jid => administrators.forget(jid));
  },
});
