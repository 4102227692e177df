import assert from 'node:assert/strict';
import { type Element, xml } from '../../src/xml/index.ts';
import { type KitSession, ModuleKit, refusalOf, tempFolder } from '../kit/index.ts';
import { writeModule } from '../kit/written.ts';

const INFO = 'http://jabber.org/protocol/disco#info';
const ITEMS = 'http://jabber.org/protocol/disco#items';
const QUESTION = 'urn:example:question';

const SETUP = `
    const service = new ServiceDomain(mod, {
      identity: { category: 'conference', type: 'text', name: 'Halls' },
      domain: host => (host === 'other.example' ? 'two words' : 'halls.{host}'),
      features: host => ['urn:example:halls', 'urn:example:' + host],
      stanza: (packet, place) => {
        const heard = xml('message', {}, xml('body', {}, place + ' ' + packet.stanza.name));
        void mod.node.route(Packet.of(heard, packet.to, packet.from));
      },
      otherIq: (packet, place) => {
        if (place !== 'full') return false;
        service.answer(packet, xml('other', { xmlns: '${QUESTION}' }));
        return Promise.resolve(true);
      },
    });
    const question = { xmlns: '${QUESTION}', name: 'question' };
    service.iq({ ...question, type: 'get', to: 'bare' }, request =>
      xml('answer', { xmlns: '${QUESTION}' }, request.to.local + ' ' + request.payload.getText()));
    service.iq({ ...question, type: 'set', to: 'bare' }, async request => {
      service.answer(request.packet, Empty);
      return Answered;
    });
    service.iq({ ...question, type: 'get', to: 'service' }, () => { throw new Error('a fault'); });
    service.iq({ ...question, type: 'set', to: 'service' }, () => 'no answer');
    service.describe('bare', {
      info: (request, node) => ({
        identities: [{ category: 'conference', type: 'text', name: request.to.local, lang: 'en' }],
        features: node ? ['urn:example:' + node] : [],
      }),
      items: () => [xml('item', { jid: 'there@halls.localhost/one' })],
    });
    service.open();
`;

describe('a domain that a module serves (src/api/service-domain.ts)', () => {
  let kit: ModuleKit;
  let romeo: KitSession;
  before(async () => {
    const halls = writeModule(tempFolder(), 'halls', SETUP);
    const hosts = { localhost: {}, 'other.example': {} };
    kit = await ModuleKit.open({ hosts, modules: { disco: {}, messages: {}, roster: {}, [halls]: {} } });
    romeo = await kit.session('romeo@localhost/orchard', { presence: 0 });
    // the option of the other host makes no domain, which the operator is told
    await kit.route("<iq type='get' id='1' from='romeo@localhost/orchard' to='x.example'><q xmlns='q'/></iq>");
    assert.deepEqual(
      kit.failures().map(line => line.msg),
      ['this is no domain'],
    );
    romeo.fresh();
  });
  after(() => kit.close());

  const ask = (payload: Element, to: string, type: 'get' | 'set' = 'get') => kit.ask(romeo, payload, { to, type });
  const refused = async (payload: Element, to: string, type: 'get' | 'set' = 'get') =>
    refusalOf(await ask(payload, to, type)).condition;
  const question = (text = '') => xml('question', { xmlns: QUESTION }, text);
  const queried = (answer: Element) =>
    answer
      .getChild('query')!
      .getChildElements()
      .map(({ name, attrs }) => `${name} ${attrs.var ?? attrs.jid ?? attrs.name}`);

  it('answers disco, ping and version for itself', async () => {
    assert.deepEqual(queried(await ask(xml('query', { xmlns: INFO }), 'halls.localhost')), [
      'identity Halls',
      `feature ${INFO}`,
      `feature ${ITEMS}`,
      'feature jabber:iq:version',
      'feature urn:example:halls',
      'feature urn:example:localhost',
      'feature urn:xmpp:ping',
    ]);
    assert.deepEqual(queried(await ask(xml('query', { xmlns: ITEMS }), 'halls.localhost')), []);
    assert.equal(await refused(xml('query', { xmlns: INFO, node: 'x' }), 'halls.localhost'), 'item-not-found');
    assert.equal(await refused(xml('query', { xmlns: ITEMS, node: 'x' }), 'halls.localhost'), 'item-not-found');
    assert.equal((await ask(xml('ping', { xmlns: 'urn:xmpp:ping' }), 'halls.localhost')).attrs.type, 'result');
    const version = await ask(xml('query', { xmlns: 'jabber:iq:version' }), 'halls.localhost');
    assert.equal(version.getChild('query')?.getChildText('name'), 'Posthouse');
  });

  it('answers what addresses at it say of themselves', async () => {
    assert.deepEqual(queried(await ask(xml('query', { xmlns: INFO, node: 'n' }), 'there@halls.localhost')), [
      'identity there',
      `feature ${INFO}`,
      `feature ${ITEMS}`,
      'feature urn:example:n',
    ]);
    const items = await ask(xml('query', { xmlns: ITEMS }), 'there@halls.localhost');
    assert.deepEqual(queried(items), ['item there@halls.localhost/one']);
  });

  it('asks the module where nothing was said of a kind of address', async () => {
    for (const xmlns of [INFO, ITEMS]) {
      const answer = await ask(xml('query', { xmlns }), 'there@halls.localhost/one');
      assert(answer.getChild('other'));
    }
  });

  it('is an item of the host that it is below, and of no other', async () => {
    assert.deepEqual(queried(await ask(xml('query', { xmlns: ITEMS }), 'localhost')), ['item halls.localhost']);
    assert.deepEqual(queried(await ask(xml('query', { xmlns: ITEMS }), 'other.example')), []);
    assert.equal(await refused(question(), 'halls.other.example'), 'remote-server-not-found');
  });

  it('finds the handler by name, namespace, type and kind of address', async () => {
    const answer = await ask(question('who?'), 'there@halls.localhost');
    assert.equal(answer.attrs.from, 'there@halls.localhost');
    assert.equal(answer.getChildText('answer'), 'there who?');
    const done = await ask(question(), 'there@halls.localhost', 'set');
    assert.deepEqual([done.attrs.type, done.children], ['result', []]);
    assert.equal(await refused(xml('other', { xmlns: QUESTION }), 'there@halls.localhost'), 'service-unavailable');
    const other = await ask(question(), 'there@halls.localhost/one');
    assert(other.getChild('other'));
  });

  it('answers what goes wrong, in the name of the module', async () => {
    assert.equal(await refused(question(), 'halls.localhost'), 'internal-server-error');
    assert.equal(await refused(question(), 'halls.localhost', 'set'), 'internal-server-error');
    assert.deepEqual(
      kit.failures().map(({ module, msg }) => `${module}: ${msg}`),
      ['halls: a module failed', 'halls: a module failed'],
    );
  });

  it('answers no results and errors', async () => {
    romeo.fresh();
    await kit.receive(romeo, "<iq type='result' id='r' to='halls.localhost'/>");
    await kit.receive(romeo, "<iq type='error' id='r' to='there@halls.localhost'/>");
    assert.deepEqual(romeo.fresh(), []);
  });

  it('gives messages and presence on', async () => {
    romeo.fresh();
    await kit.receive(romeo, "<message to='halls.localhost'><body>x</body></message>");
    await kit.receive(romeo, "<presence to='there@halls.localhost/one'/>");
    assert.deepEqual(
      romeo.fresh().map(message => message.getChildText('body')),
      ['service message', 'full presence'],
    );
  });
});
