import { type Command, type Mod, Packet, plain, type SessionView } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';
import { adminCommand } from './command.ts';
import type { AnnouncementKind, AnnouncementsStore } from './store.ts';

const SLICE = 500; // sessions told before others get their turn

/** XEP-0133 4.23 to 4.28: what is said to everybody, to everybody who comes, and to those who are new. */
export function announcementCommands(mod: Mod, store: AnnouncementsStore): Command[] {
  /** A command that sets a text; the form's field has the name of the kind. */
  const setter = (node: string, name: string, kind: AnnouncementKind, mustExist: boolean): Command =>
    adminCommand({
      node,
      name,
      fields: async ({ host }) => {
        const values = (await store.get(host, kind))?.text.split('\n') ?? [];
        return [{ name: kind, type: 'text-multi', label: 'Text', required: true, values }];
      },
      run: async (values, { host }) => {
        const text = values.lines(kind).join('\n').trim();
        if (text === '') return refuse('bad-request', 'The text is empty.');
        if (mustExist && !(await store.get(host, kind))) return refuse('item-not-found', 'There is none to change.');
        await store.set(host, kind, text);
        if (kind === 'motd') {
          const told = await announce(mod, host, text);
          // it was shown to them: not again at their next login
          await store.markSeen(told, host);
        }
        return { note: 'It is set.' };
      },
    });
  const remover = (node: string, name: string, kind: AnnouncementKind): Command =>
    adminCommand({
      node,
      name,
      run: async (_values, { host }) => {
        await store.set(host, kind, undefined);
        return { note: 'It is gone.' };
      },
    });

  return [
    adminCommand({
      node: 'announce',
      name: 'Tell all who are online',
      fields: [
        { name: 'subject', type: 'text-single', label: 'Subject' },
        { name: 'announcement', type: 'text-multi', label: 'Text', required: true },
      ],
      run: async (values, { host }) => {
        const text = values.lines('announcement').join('\n').trim();
        if (text === '') return refuse('bad-request', 'The text is empty.');
        const told = await announce(mod, host, text, values.text('subject') || undefined);
        return { note: `Accounts told: ${told.length}.` };
      },
    }),
    setter('set-motd', 'Set the message of the day', 'motd', false),
    setter('edit-motd', 'Change the message of the day', 'motd', true),
    remover('delete-motd', 'Delete the message of the day', 'motd'),
    setter('set-welcome', 'Set the welcome for new accounts', 'welcome', false),
    remover('delete-welcome', 'Delete the welcome for new accounts', 'welcome'),
  ];
}

/** Tells every available session of a host; the bare JIDs of the accounts. */
export async function announce(mod: Mod, host: string, text: string, subject?: string): Promise<string[]> {
  const users = [...mod.node.users()].filter(user => user.jid.domain === host);
  const told: string[] = [];
  for (const [index, user] of users.entries()) {
    const available = user.sessions.filter(session => session.presence !== undefined);
    for (const session of available) tell(mod, session, text, subject);
    if (available.length > 0) told.push(user.jid.bare);
    if (index % SLICE === SLICE - 1) await new Promise(resolve => setImmediate(resolve));
  }
  return told;
}

function tell(mod: Mod, session: SessionView, text: string, subject?: string): void {
  const message = xml('message', { type: 'headline' }, subject && xml('subject', {}, subject), xml('body', {}, text));
  void mod.node.deliver(Packet.of(message, parseJid(session.jid.domain)!, session.jid), session);
}

/** The message of the day at an account's first appearance after it was set; the welcome at the very first one. */
export function greet(mod: Mod, store: AnnouncementsStore): void {
  const greeted = mod.perSession<boolean>(() => false, plain());
  mod.on('presence', 'tap', { kind: 'presence' }, (packet, session) => {
    if (packet.type !== '' || greeted.get(session)) return undefined;
    greeted.set(session, true);
    if (!store.any(session.jid.domain)) return undefined;
    return store.unseen(session.user.jid).then(texts => {
      for (const text of texts) tell(mod, session, text);
    });
  });
  mod.when('accountCreated', jid => store.newcomer(jid));
  mod.when('accountRemoved', jid => store.forget(jid));
}
