import type { Command, Mod } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { announce } from './announcements.ts';
import { adminCommand } from './command.ts';
import type { AdministratorsStore } from './store.ts';

const DELAYS = [0, 30, 60, 90, 120, 180, 240, 300].map(seconds => ({
  value: String(seconds),
  label: seconds === 0 ? 'now' : `in ${seconds} seconds`,
}));
const LONGEST = 86_400; // s

/** XEP-0133 4.29, 4.31: the service itself. Starting it again is the business of what started it. */
export function serviceCommands(mod: Mod, store: AdministratorsStore): Command[] {
  /** Those whom the configuration names: they are changed there only. */
  const configured = (host: string): Jid[] => {
    const added = new Set(store.of(host).map(jid => jid.bare));
    return mod.node.admins(host).filter(jid => !added.has(jid.bare));
  };
  return [
    adminCommand({
      node: 'edit-admin',
      name: 'Choose the administrators',
      instructions: 'All addresses that administer this host. Those that the configuration names must stay.',
      fields: ({ host }) => [
        {
          name: 'adminjids',
          type: 'jid-multi',
          label: 'Administrators',
          values: [...new Set(mod.node.admins(host).map(jid => jid.bare))],
        },
      ],
      run: async (values, { host }) => {
        const given = new Map<string, Jid>();
        for (const text of values.lines('adminjids')) {
          if (text.trim() === '') continue;
          const jid = parseJid(text.trim());
          if (!jid || jid.local === '' || jid.resource !== '')
            return refuse('not-acceptable', `'${text}' is not the address of an account.`);
          given.set(jid.bare, jid);
        }
        for (const jid of configured(host)) {
          if (!given.delete(jid.bare))
            return refuse('not-allowed', `${jid.bare} is an administrator by the configuration.`);
        }
        await store.set(host, [...given.values()]);
        mod.log.warn({ host, admins: mod.node.admins(host).map(jid => jid.bare) }, 'the administrators changed');
        return { note: 'The list is set.' };
      },
    }),
    adminCommand({
      node: 'shutdown',
      access: 'operator',
      name: 'Stop the service',
      fields: [
        { name: 'delay', type: 'list-single', label: 'When', values: ['30'], options: DELAYS, required: true },
        { name: 'announcement', type: 'text-multi', label: 'What those who are online are told' },
      ],
      run: async values => {
        const text = values.text('delay').trim();
        const delay = Number(text);
        if (text === '' || !Number.isInteger(delay) || delay < 0 || delay > LONGEST)
          return refuse('not-acceptable', `The delay is a number of seconds up to ${LONGEST}.`);
        const announcement = values.lines('announcement').join('\n').trim();
        if (announcement !== '') for (const host of mod.node.hosts) await announce(mod, host, announcement);
        mod.node.shutdown(announcement || 'The service stops.', delay);
        return { note: `The service stops in ${delay} seconds.` };
      },
    }),
  ];
}
