import assert from 'node:assert/strict';
import { BARE, DONE, FULL, Packet, type SessionView, type UserView } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { StanzaError } from '../../src/protocol/index.ts';
import { accountRules } from './rules.ts';

const romeo = parseJid('romeo@example.org/orchard')!;
const juliet = parseJid('juliet@example.org')!;

/** Sends a message to an account with sessions of these priorities (undefined: connected, not available). */
async function send(
  type: string,
  address: 'bare' | 'full',
  priorities: (number | undefined)[],
  mostAvailable = false,
  returned = false,
) {
  const got: number[] = [];
  let told: readonly SessionView[] | undefined;
  const user = { jid: juliet, sessions: [] as SessionView[] };
  user.sessions = priorities.map(
    (priority, index) =>
      ({
        presence: priority === undefined ? undefined : {},
        priority: priority ?? 0,
        user,
        index,
      }) as unknown as SessionView,
  );
  const rules = accountRules({
    user: () => (user.sessions.length > 0 ? (user as UserView) : undefined),
    deliver: (_, session) => void got.push(user.sessions.indexOf(session)),
    taken: (_, sessions) => {
      told = sessions;
    },
    mostAvailable: () => mostAvailable,
    returned: () => returned,
  });
  const attribute = type === 'normal' ? '' : ` type='${type}'`;
  const to = address === 'bare' ? juliet : juliet.withResource('gone');
  const packet = Packet.fromWire(`<message${attribute}><body>x</body></message>`, romeo, to);
  packet.address = address === 'bare' ? BARE : FULL;
  const verdict = await rules(packet);
  if (told)
    assert.deepEqual(
      told.map(session => user.sessions.indexOf(session)),
      got,
    );
  if (verdict instanceof StanzaError) return { error: verdict.condition, got };
  return { end: verdict === DONE ? (got.length > 0 ? 'delivered' : 'ignored') : 'absent', got };
}

const delivered = (...got: number[]) => ({ end: 'delivered', got });
const IGNORED = { end: 'ignored', got: [] };
const ABSENT = { end: 'absent', got: [] };
const REFUSED = { error: 'service-unavailable', got: [] };

/* RFC 6121 8.5.4, row by row: to the bare JID, then to a full JID that is not there. */
const TABLE: [string, (number | undefined)[], Record<string, object>, Record<string, object>][] = [
  [
    'no session at all',
    [],
    { normal: ABSENT, chat: ABSENT, groupchat: REFUSED, headline: IGNORED, error: IGNORED },
    { normal: REFUSED, chat: ABSENT, groupchat: REFUSED, headline: IGNORED, error: IGNORED },
  ],
  [
    'connected, never available',
    [undefined],
    { normal: ABSENT, chat: ABSENT, groupchat: REFUSED, headline: IGNORED, error: IGNORED },
    { normal: REFUSED, chat: ABSENT, groupchat: REFUSED, headline: IGNORED, error: IGNORED },
  ],
  [
    'negative priorities only',
    [-1, -128],
    { normal: ABSENT, chat: ABSENT, groupchat: REFUSED, headline: IGNORED, error: IGNORED },
    { normal: REFUSED, chat: ABSENT, groupchat: REFUSED, headline: IGNORED, error: IGNORED },
  ],
  [
    'one of priority 0',
    [0],
    { normal: delivered(0), chat: delivered(0), groupchat: REFUSED, headline: delivered(0), error: IGNORED },
    { normal: REFUSED, chat: delivered(0), groupchat: REFUSED, headline: IGNORED, error: IGNORED },
  ],
  [
    'several, one of them negative, one not available',
    [5, -1, 0, undefined],
    { normal: delivered(0, 2), chat: delivered(0, 2), groupchat: REFUSED, headline: delivered(0, 2), error: IGNORED },
    { normal: REFUSED, chat: delivered(0, 2), groupchat: REFUSED, headline: IGNORED, error: IGNORED },
  ],
];

describe('messages for an account (RFC 6121 8.5.4)', () => {
  for (const [name, priorities, bare, full] of TABLE) {
    for (const [address, row] of [['bare', bare] as const, ['full', full] as const]) {
      for (const [type, expected] of Object.entries(row)) {
        it(`${name}: ${type} to ${address}`, async () => {
          assert.deepEqual(await send(type, address, priorities), expected);
        });
      }
    }
  }

  it('with most-available, chat goes to the highest priority only, headlines to all', async () => {
    assert.deepEqual(await send('chat', 'bare', [0, 7, 7, -1], true), delivered(1, 2));
    assert.deepEqual(await send('headline', 'bare', [0, 7, 7, -1], true), delivered(0, 1, 2));
  });

  it('what a session did not take before it ended is not refused for that', async () => {
    assert.deepEqual(await send('normal', 'full', [0], false, true), ABSENT);
    assert.deepEqual(await send('chat', 'full', [], false, true), ABSENT);
    assert.deepEqual(await send('headline', 'full', [0], false, true), IGNORED);
  });

  it('waits for a slow way to a session before it says who took the message', async () => {
    const session = { presence: {}, priority: 0 } as unknown as SessionView;
    const order: string[] = [];
    const rules = accountRules({
      user: () => ({ jid: juliet, sessions: [session] }),
      deliver: async () => {
        await new Promise(resolve => setImmediate(resolve));
        order.push('delivered');
      },
      taken: () => void order.push('taken'),
      mostAvailable: () => false,
      returned: () => false,
    });
    const packet = Packet.fromWire(`<message type='chat'><body>x</body></message>`, romeo, juliet);
    packet.address = BARE;
    assert.equal(await rules(packet), DONE);
    assert.deepEqual(order, ['delivered', 'taken']);
  });
});
