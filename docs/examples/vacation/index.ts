/*
 * Vacation notes: an account leaves a note, and who writes to it while it is away is answered with that note, once in a while.
 */
import { defineModule, defineOptions, Empty, Lru, option, Packet } from '../../../src/api/index.ts';
import { refuse } from '../../../src/protocol/index.ts';
import { xml } from '../../../src/xml/index.ts';
import { noteStore } from './store.ts';

const VACATION = 'urn:example:vacation:0';

export default defineModule({
  name: 'vacation',
  doc: 'Answers for accounts that are away, with a note that they left.',
  features: { account: [VACATION] },
  options: defineOptions({
    length: option.integer({
      default: 1000,
      minimum: 1,
      maximum: 10_000,
      unit: 'characters',
      doc: 'The longest note.',
      reload: 'live',
    }),
    pause: option.duration({
      default: 86_400,
      minimum: 1,
      doc: 'How long somebody who got the note does not get it again.',
      reload: 'live',
    }),
  }),
  stores: { notes: noteStore },

  setup(mod) {
    const { notes } = mod.stores;
    const replies = mod.count('replies', 'Notes sent for accounts that were away.');
    /** When each sender got the note of each account last, in milliseconds since 1970. */
    const told = new Lru<string, number>(10_000);

    mod.iq({ xmlns: VACATION, name: 'note', type: 'get', to: 'account' }, async request => {
      const note = await notes.get(request.to);
      return note === undefined ? refuse('item-not-found') : xml('note', { xmlns: VACATION }, note);
    });

    mod.iq({ xmlns: VACATION, name: 'note', type: 'set', to: 'account' }, async request => {
      const note = request.payload.getText();
      const { length } = mod.options(request.to.domain);
      if (note.length > length) return refuse('not-acceptable', `A note has at most ${length} characters.`);
      await notes.set(request.to, note);
      return Empty;
    });

    mod.on(
      'absent',
      'work',
      { kind: 'message' },
      async packet => {
        // RFC 6121 5.2.2: nobody waits for an answer to a headline; so nobody answers the note either
        if ((packet.type !== 'chat' && packet.type !== 'normal') || !packet.hasBody) return;
        const account = packet.to!.toBare();
        const key = `${account.bare} ${packet.from.bare}`;
        const { pause } = mod.options(account.domain);
        if (Date.now() - (told.get(key) ?? 0) < pause * 1000) return;
        const note = await notes.get(account);
        if (note === undefined) return;
        told.set(key, Date.now());
        replies.inc();
        await mod.node.route(
          Packet.of(xml('message', { type: 'headline' }, xml('body', {}, note)), account, packet.from),
        );
      },
      // which keeps the message, and so is the last to see it
      { before: ['offline'] },
    );

    mod.when('accountRemoved', jid => notes.set(jid, ''));
  },
});
