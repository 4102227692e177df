/*
 * What became of a message: `posthouse message trace`. While the node runs, what happens to each message is noted in memory, of so many
 * messages; of older ones, and after a start, archives and offline storage tell what they know. No text of a message is kept or told.
 */
import { BARE, defineModule, defineOptions, FULL, MESSAGE, option, type Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { Archive } from '../archive/contract.ts';
import { Offline } from '../offline/contract.ts';
import { stanzaIdBy } from '../stanza-id/contract.ts';
import { Trace } from './contract.ts';
import { isStory, subjectOf } from './marks.ts';
import { Notes } from './notes.ts';
import { Tracing } from './tracing.ts';

export default defineModule({
  name: 'trace',
  doc: 'Notes what becomes of each message, for `posthouse message trace`.',
  options: defineOptions({
    messages: option.integer({
      default: 20_000,
      minimum: 100,
      maximum: 5_000_000,
      doc: 'Messages of which every step is remembered, some 250 bytes each; of earlier ones only what is stored.',
    }),
  }),
  setup(mod) {
    const { node } = mod;
    const notes = new Notes(mod.options().messages);

    function begin(packet: Packet, id?: string): number {
      return (packet.story = notes.begin(subjectOf(packet), id));
    }

    /**
     * The story of a message that comes out of an outbox or of storage goes on in another one: they are put together by the id that its
     * recipient's account gave it.
     */
    function storyOf(packet: Packet, account: Jid | undefined): number {
      if (packet.story !== 0) return packet.story;
      const id = packet.stanzaId ?? (account && stanzaIdBy(account.toBare(), packet));
      return id === undefined ? 0 : begin(packet, id);
    }

    // where messages come in: from clients, and from anybody else
    mod.when('sent', packet => {
      if (packet.kind !== MESSAGE || (packet.story === 0 && !isStory(packet))) return;
      notes.note(packet.story || begin(packet), 'accepted');
    });
    mod.on(
      'arriving',
      'gate',
      { kind: 'message', to: ['bare', 'full'] },
      packet => {
        if (!packet.sender && packet.story === 0 && isStory(packet)) notes.note(begin(packet), 'accepted');
      },
      { before: ['archive', 'blocking'] },
    );
    mod.when('refused', (packet, error) => {
      if (packet.kind !== MESSAGE || (packet.story === 0 && !isStory(packet))) return;
      const account = packet.address === BARE || packet.address === FULL ? packet.to : undefined;
      notes.note(storyOf(packet, account) || begin(packet), 'refused', error.condition, packet.stanzaId);
    });

    // what becomes of them
    mod.provide(Trace, {
      committed: (packet, id) => {
        if (packet.story !== 0 || isStory(packet))
          notes.note(packet.story || begin(packet), 'committed', undefined, id);
      },
      stored: (packet, account, id) =>
        notes.note(storyOf(packet, account) || begin(packet, id), 'offline', undefined, id),
    });
    mod.on('deliver', 'tap', { kind: 'message' }, (packet, session) => {
      const story = packet.story || (packet.sender ? 0 : storyOf(packet, session.user.jid));
      if (story !== 0) notes.note(story, session.connected ? 'routed' : 'queued', session.jid, packet.stanzaId);
    });
    mod.when('acknowledged', (session, story) =>
      notes.note(story, session.acknowledged ? 'acknowledged' : 'written', session.jid),
    );
    mod.when('resumed', session => {
      for (const story of session.stories()) notes.note(story, 'resumed', session.jid);
    });
    mod.when('ended', session => {
      for (const story of session.stories()) notes.note(story, 'left', session.jid);
    });

    // who asks
    const tracing = new Tracing({
      notes,
      archive: () => mod.maybe(Archive),
      offline: () => mod.maybe(Offline),
      serves: domain => node.hosts.has(domain),
      startedAt: Date.now(),
    });
    mod.add('operations', {
      name: 'message.trace',
      looks: true,
      run: args => tracing.trace(args.text('id'), args.address('from'), args.address('to')),
    });
  },
});
