import { type Command, type Mod, Packet, type SessionView } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';
import { adminCommand, type Values } from './command.ts';
import type { AnnouncementKind, AnnouncementsStore } from './store.ts';

const TEXT = { name: 'announcement', type: 'text-multi', label: 'Text', required: true } as const;
const SLICE = 500; // sessions told before others get their turn

/** XEP-0133 4.23 to 4.28: what is said to everybody, to everybody who comes, and to those who are new. */
export function announcementCommands(mod: Mod, store: AnnouncementsStore): Command[] {
  const set = async (kind: AnnouncementKind, host: string, values: Values) => {
    const text = values.lines('announcement').join('\n').trim();
    if (text === '') return refuse('bad-request', 'The text is empty.');
    await store.set(host, kind, text);
    return undefined;
  };
  const setter = (node: string, name: string, kind: AnnouncementKind, mustExist: boolean): Command =>
    adminCommand({
      node,
      name,
      fields: async ({ host }) => [{ ...TEXT, values: (await store.get(host, kind))?.text.split('\n') ?? [] }],
      run: async (values, { host }) => {
        if (mustExist && !(await store.get(host, kind))) return refuse('item-not-found', 'There is none to change.');
        const error = await set(kind, host, values);
        if (error) return error;
        if (kind === 'motd') await announce(mod, host, values.lines('announcement').join('\n'));
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
      fields: [{ name: 'subject', type: 'text-single', label: 'Subject' }, TEXT],
      run: async (values, { host }) => {
        const text = values.lines('announcement').join('\n').trim();
        if (text === '') return refuse('bad-request', 'The text is empty.');
        const count = await announce(mod, host, text, values.text('subject') || undefined);
        return { note: `${count} sessions were told.` };
      },
    }),
    setter('set-motd', 'Set the message of the day', 'motd', false),
    setter('edit-motd', 'Change the message of the day', 'motd', true),
    remover('delete-motd', 'Delete the message of the day', 'motd'),
    setter('set-welcome', 'Set the welcome for new accounts', 'welcome', false),
    remover('delete-welcome', 'Delete the welcome for new accounts', 'welcome'),
  ];
}

/** Tells every session of a host; the number of them. */
async function announce(mod: Mod, host: string, text: string, subject?: string): Promise<number> {
  const sessions = [...mod.node.users()].filter(user => user.jid.domain === host).flatMap(user => user.sessions);
  for (const [index, session] of sessions.entries()) {
    if (session.presence !== undefined) tell(mod, session, text, subject);
    if (index % SLICE === SLICE - 1) await new Promise(resolve => setImmediate(resolve));
  }
  return sessions.length;
}

function tell(mod: Mod, session: SessionView, text: string, subject?: string): void {
  const message = xml('message', { type: 'headline' }, subject && xml('subject', {}, subject), xml('body', {}, text));
  void mod.node.deliver(Packet.of(message, parseJid(session.jid.domain)!, session.jid), session);
}

/** The message of the day at an account's first appearance after it was set; the welcome at the very first one. */
export function greet(mod: Mod, store: AnnouncementsStore): void {
  const known = mod.perSession(() => ({ greeted: false }));
  mod.on('presence', 'tap', { kind: 'presence' }, (packet, session) => {
    if (packet.type !== '' || known.get(session).greeted) return undefined;
    known.get(session).greeted = true;
    if (!store.any(session.jid.domain)) return undefined;
    return store.unseen(session.user.jid).then(texts => {
      for (const text of texts) tell(mod, session, text);
    });
  });
  mod.when('accountCreated', jid => store.newcomer(jid));
  mod.when('accountRemoved', jid => store.forget(jid));
}
