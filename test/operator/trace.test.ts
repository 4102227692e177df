import assert from 'node:assert/strict';
import { until } from '../kit/wait.ts';
import { Operated, posthouse } from './program.ts';

describe('an operator asks what became of a message', function () {
  this.timeout(60_000);
  let node: Operated;
  before(async () => {
    node = await Operated.start();
    await node.add('romeo', 'juliet');
  });
  after(() => node.remove());

  it('as text and as JSON, before a start and after it, and never what it says', async () => {
    const juliet = await node.login('juliet@localhost/balcony');
    juliet.send(
      "<message to='romeo@localhost' type='chat' id='m1'><body>wherefore</body><request xmlns='urn:xmpp:receipts'/></message>",
    );
    await juliet.settle();
    const waiting = await until(async () => {
      const { out } = await node.command(['message', 'trace', 'm1']);
      return out.includes('offline') && out;
    }, 'the message to be stored');
    const id = /^stanza id +([0-9a-v]{21})$/m.exec(waiting)![1]!;
    assert.match(waiting, /^client's id +m1\nfrom +juliet@localhost\/balcony\nto +romeo@localhost$/m);
    assert.match(waiting, /^state +stored, waits in offline storage\nsafe since +20\d\d-/m);
    assert.match(waiting, /^time +step +by +what +known from\n20\d\d-\S+Z +accepted +- .* memory\n/m);
    assert.match(waiting, /\n\nNot known:\n- whether it was delivered: no client has sent the receipt/);

    const romeo = await node.login('romeo@localhost/orchard');
    romeo.send('<presence/>');
    await romeo.message();
    romeo.send("<message to='juliet@localhost/balcony'><received xmlns='urn:xmpp:receipts' id='m1'/></message>");
    await until(async () => (await node.done(['message', 'trace', id])).includes('delivered'), 'the receipt');
    await node.stop();
    await node.start();
    const told = await node.done(['message', 'trace', 'm1', '--from', 'juliet@localhost', '--json']);
    assert.doesNotMatch(waiting + told, /wherefore/);
    const { state, steps } = JSON.parse(told) as { state: string; steps: { step: string; knownFrom: string }[] };
    assert.equal(state, 'delivered');
    assert.deepEqual(
      steps.map(({ step, knownFrom }) => `${step} ${knownFrom}`),
      ['accepted archive', 'committed archive', 'delivered archive'],
    );
  });

  it('with an error that says what to do, for one that is not known, and without a node', async () => {
    const unknown = await node.command(['message', 'trace', 'm9']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /no message with the id 'm9' is known: .* with --from or --to/);
    assert.match((await node.command(['message', 'trace', 'm9', '--json'])).err, /^\{"error":"no message/);
    assert.equal((await node.command(['message', 'trace'])).code, 2);
    await node.done(['module', 'unload', 'trace']);
    const off = await node.command(['message', 'trace', 'm1']);
    assert.equal(off.code, 1);
    assert.match(off.err, /the module 'trace' is off: .* 'posthouse module load trace'/);
    const nowhere = await posthouse(['message', 'trace', 'm1', '--data', `${node.folder}/none`]);
    assert.equal(nowhere.code, 3);
    assert.match(nowhere.err, /no node runs on the data folder/);
  });
});
