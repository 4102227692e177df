/*
 * Which sessions a message for an account goes to: RFC 6121 8.5. A message whose session is there never comes here; what nobody
 * takes here goes on to the `absent` chain (offline storage), and after that back to its sender.
 */
import { defineModule, defineOptions, option } from '../../src/api/index.ts';
import { accountRules } from './rules.ts';

export default defineModule({
  name: 'messages',
  doc: "Chooses the sessions that get a message sent to an account, by its type and the sessions' priorities.",
  rfcs: ['RFC 6121 8.5.2.1.1', 'RFC 6121 8.5.2.2.1', 'RFC 6121 8.5.3.2.1', 'RFC 6121 8.5.4'],
  options: defineOptions({
    resources: option.choice(['all', 'most-available'], {
      default: 'all',
      doc: 'Which sessions get a chat or normal message for their account: all with a priority of 0 or more, or those with the highest only.',
      reload: 'live',
    }),
  }),
  setup(mod) {
    const { node } = mod;
    const rules = accountRules({
      user: bare => node.user(bare),
      deliver: (packet, session) => node.deliver(packet, session),
      taken: (packet, sessions) => mod.taken(packet, sessions),
      // a client's message comes with its session the first time, and without it when it comes back
      returned: ({ sender, from }) => sender === undefined && from.local !== '' && node.hosts.has(from.domain),
      mostAvailable: host => mod.options(host).resources === 'most-available',
    });
    mod.on('account', 'work', { kind: 'message', to: ['bare', 'full'] }, rules);
  },
});
