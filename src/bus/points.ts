import type { Jid } from '../jid/index.ts';
import type { StanzaError } from '../protocol/index.ts';
import { Chain } from './chain.ts';
import { Fact } from './fact.ts';
import type { Packet } from './packet.ts';
import type { SessionView } from './session-view.ts';

const GATE_WORK_TAP = [
  ['gate', 'gate'],
  ['work', 'work'],
  ['tap', 'tap'],
] as const;

/** Every hook of the house, one sentence each. A node makes one set. */
export function makePoints() {
  return {
    // A stanza's way, in this order
    received: new Chain<SessionView>(
      'received',
      'A client of this node sent a stanza; its sender is stamped, it is not routed yet.',
      GATE_WORK_TAP,
    ),
    presence: new Chain<SessionView>(
      'presence',
      'A client sent presence without an address: its own state, to be told to others. The session already shows it.',
      GATE_WORK_TAP,
    ),
    arriving: new Chain<undefined>(
      'arriving',
      'A stanza, from anywhere, is for an account of this node (which exists); no session is chosen yet.',
      GATE_WORK_TAP,
    ),
    account: new Chain<undefined>(
      'account',
      'A message or presence is for an account itself, or for a resource that is not there (IQs are answered by the IQ table).',
      GATE_WORK_TAP,
    ),
    absent: new Chain<undefined>(
      'absent',
      'A message found no session that takes it; whoever keeps it returns DONE, else its sender is told.',
      GATE_WORK_TAP,
    ),
    returning: new Chain<number>(
      'returning',
      'A message that a session never took goes to its account; given with it: when that session got it (ms since 1970). DONE: others had it.',
      GATE_WORK_TAP,
    ),
    host: new Chain<undefined>('host', 'A message or presence is for the host itself.', GATE_WORK_TAP),
    deliver: new Chain<SessionView>(
      'deliver',
      'A stanza is about to enter the outbox of this session; DONE keeps it out.',
      GATE_WORK_TAP,
    ),

    // What happened
    taken: new Fact<Packet, readonly SessionView[]>(
      'taken',
      'A message was put in the outboxes of these sessions of its recipient.',
    ),
    sent: new Fact<Packet, SessionView>('sent', 'A stanza of this session was accepted and went its way.'),
    refused: new Fact<Packet, StanzaError>('refused', 'A stanza was answered with an error on its way.'),
    acknowledged: new Fact<SessionView, number>(
      'acknowledged',
      'A client has a message whose `story` is given: by its acknowledgement (XEP-0198), or its system took it where it gives none.',
    ),
    bound: new Fact<SessionView>('bound', 'A client bound a resource: a session begins.'),
    detached: new Fact<SessionView>('detached', 'A session lost its connection and waits for it to be resumed.'),
    stalled: new Fact<SessionView>(
      'stalled',
      'A client has not acknowledged for some time messages whose senders wait to hear that they are safe.',
    ),
    restored: new Fact<SessionView>(
      'restored',
      'A session is there again that the program had when it ended; it waits for its client.',
    ),
    resumed: new Fact<SessionView>('resumed', 'A session was resumed on a new connection.'),
    ended: new Fact<SessionView, Packet | undefined>(
      'ended',
      'A session is over; the second argument is the presence it had, if it was available.',
    ),
    accountCreated: new Fact<Jid>('accountCreated', 'An account was made.'),
    accountDisabled: new Fact<Jid>('accountDisabled', 'An account was disabled: it cannot log in; its data stay.'),
    accountRemoved: new Fact<Jid>(
      'accountRemoved',
      'An account was removed: everything that is kept for it goes. Waited for.',
    ),
    ready: new Fact<undefined>('ready', 'All modules are loaded and the listeners are about to open.'),
  };
}

export type Points = ReturnType<typeof makePoints>;
