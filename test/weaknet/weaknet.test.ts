import assert from 'node:assert/strict';
import { FOREIGN, foreign } from './foreign.ts';
import { own } from './own.ts';
import type { WeakOutcome } from './talk.ts';

/** The short form of `npm run weaknet`, whose seed changes with the day: what fails is repeated by the seed that it names. */
const SEED = Math.floor(Date.now() / 86_400_000);

/** @xmpp/client takes seconds to come back. */
const CLIENTS = Object.keys(FOREIGN).filter(name => name !== '@xmpp/client' || process.env.POSTHOUSE_TEST_ALL);

describe('a network that breaks all the time', function () {
  this.timeout(90_000);

  /** All is there, once and in order, on two devices a user. */
  function whole(
    { judgement, sent, cuts }: WeakOutcome,
    what: string,
    least: { messages: number; cuts: number },
  ): void {
    assert.ok(sent >= 2 * least.messages && cuts >= least.cuts, `${sent} messages, ${cuts} breaks`);
    const said = judgement.faults();
    assert.deepEqual(said, [], `npm run weaknet -- --client ${what} --seed ${SEED}`);
  }

  it('loses, doubles and disorders nothing of our own clients', async () => {
    const least = { messages: 120, cuts: 12 };
    whole(await own({ seed: SEED, ...least }), 'own', least);
  });

  for (const name of CLIENTS) {
    it(`nor of ${name}`, async () => {
      const least = { messages: 24, cuts: 2 };
      whole(await foreign(name, { seed: SEED, ...least }), name, least);
    });
  }
});
