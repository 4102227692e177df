import assert from 'node:assert/strict';
import net from 'node:net';
import { condition } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { removeTemp, tempFolder } from '../kit/temp.ts';
import { until } from '../kit/wait.ts';
import { writeModule } from '../kit/written.ts';

const FAULT = "throw new Error('a fault');";

describe('what a failing module adds to streams, listeners and HTTP', () => {
  const folder = tempFolder();
  let stage: TestNode;

  before(async () => {
    const bad = writeModule(
      folder,
      'bad',
      `mod.add('streamFeatures', { when: 'before-login', feature: () => { ${FAULT} } });
       mod.add('streamFeatures', { when: 'after-login', feature: () => 'text' });
       mod.add('beforeLogin', { xmlns: 'urn:example:bad', answer: () => { ${FAULT} } });
       mod.add('beforeLogin', { xmlns: 'urn:example:worse', answer: async () => 'text' });
       mod.add('http', { on: 'private', register: app => { app.get('/before', async () => 'fine'); ${FAULT} } });
       mod.add('http', { on: 'both', register: app => void app.get('/throws', async () => { ${FAULT} }) });
       mod.add('listeners', { type: 'component', accept: connection => ({
         onBytes: (bytes, start, end) => {
           const text = Buffer.from(bytes.subarray(start, end)).toString();
           if (text.includes('fault')) { ${FAULT} }
           connection.write('heard ' + text); connection.flush();
         },
         onDrain: () => {}, onDisconnect: () => { ${FAULT} },
       }) });`,
    );
    stage = await TestNode.start({ users: ['romeo'], yaml: `modules: { '${bad}': {} }\n` });
  });
  after(async () => {
    await stage.stop();
    removeTemp(folder);
  });

  const failures = () =>
    stage.node.metrics.families
      .find(({ name }) => name === 'posthouse_module_failures_total')!
      .read()
      .map(({ labels }) => labels.point!)
      .sort();
  const fetchText = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${stage.httpPort}${path}`);
    return `${response.status} ${response.status === 200 ? (await response.text()).slice(0, 200) : ''}`.trim();
  };

  it('logins go on, without its features', async () => {
    const romeo = await stage.login('romeo@localhost/x', { presence: true });
    assert.equal((await romeo.iq('get', "<ping xmlns='urn:xmpp:ping'/>")).attrs.type, 'result');
    await romeo.end();
    assert.deepEqual(failures(), ['stream features']);
  });

  it('a request before login is refused, and the stream goes on', async () => {
    const client = await stage.connect();
    await client.open();
    for (const xmlns of ['urn:example:bad', 'urn:example:worse']) {
      client.send(`<iq type='get' id='${xmlns}'><x xmlns='${xmlns}'/></iq>`);
      const answer = await client.expect(stanza => stanza.attrs.id === xmlns, 'an answer');
      assert.equal(condition(answer), 'internal-server-error');
    }
    client.destroy();
  });

  it('HTTP goes on, with what it could register', async () => {
    assert.match(await fetchText('/health'), /^200 .*ok/);
    assert.equal(await fetchText('/before'), '200 fine');
    assert.equal(await fetchText('/throws'), '500');
    assert.equal(await fetchText('/nowhere'), '404');
    assert.ok(failures().includes('http'));
  });

  it('a connection of its protocol that fails is closed, and others stay', async () => {
    const open = () => {
      const socket = net.connect(stage.componentPort, '127.0.0.1');
      let text = '';
      let closed = false;
      socket.on('data', chunk => (text += chunk.toString()));
      socket.on('close', () => (closed = true));
      socket.on('error', () => {});
      return { socket, text: () => text, closed: () => closed };
    };
    const [good, bad] = [open(), open()];
    bad.socket.write('fault');
    await until(bad.closed, 'the end of the bad one');
    good.socket.write('all well');
    await until(() => good.text() === 'heard all well', 'an echo');
    good.socket.destroy();
    assert.ok(failures().includes('listener component'));
  });

  it('is all gone when the module is unloaded', async () => {
    await stage.node.modules.unload('bad');
    assert.equal(await fetchText('/before'), '404');
    assert.match(await fetchText('/health'), /^200/);
    const client = await stage.connect();
    await client.open();
    client.send("<iq type='get' id='x'><x xmlns='urn:example:bad'/></iq>");
    assert.equal(await client.streamError(), 'not-authorized');
    assert.deepEqual(stage.node.modules.leaks(), []);
  });
});
