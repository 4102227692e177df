import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { needs } from '../kit/needs.ts';
import { Server } from './server.ts';
import { Terminal } from './terminal.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const BIN = fileURLToPath(new URL('../../bin/posthouse.js', import.meta.url));

/** Profanity, a client for terminals, from Debian. It speaks TCP only. */
describe('Profanity', function () {
  this.timeout(90_000);
  let server: Server;
  let home: string;
  let open: Terminal[];

  before(async function () {
    needs(this, { command: 'profanity', why: 'apt install profanity: a client that others wrote' });
    needs(this, { command: 'tmux', why: 'apt install tmux: the terminal that Profanity runs in' });
    server = await Server.start();
    home = path.join(server.folder, 'home');
  });
  beforeEach(() => {
    open = [];
  });
  afterEach(async () => {
    for (const terminal of open) await terminal.close();
  });
  after(() => server?.stop());

  const start = async (...command: string[]): Promise<Terminal> => {
    const terminal = await Terminal.open(command, {
      cwd: server.folder,
      env: { HOME: home, XDG_CONFIG_HOME: path.join(home, '.config'), XDG_DATA_HOME: path.join(home, '.local/share') },
    });
    open.push(terminal);
    return terminal;
  };
  /** A line of the README, with the port of this server. */
  const here = (line: string): string =>
    line.replace(/ 127\.0\.0\.1 port 5222 /, ` 127.0.0.1 port ${server.ports.xmpp} `);
  const connect = async (terminal: Terminal, line: string): Promise<void> => {
    await terminal.shows(/Type '\/help' to show complete help/);
    await terminal.type(line);
    await terminal.shows(/Enter password:/);
    await terminal.type(server.password);
    await terminal.shows(/ logged in successfully, online/);
  };

  it('the first chat of the README, as it stands there', async () => {
    const [add, asRomeo, asJuliet] = await chat();
    for (const command of add) {
      const [program, ...args] = command.split(' ').slice(1);
      assert.equal(program, 'posthouse');
      const terminal = await start(process.execPath, BIN, ...args);
      await terminal.shows(/^Password for \w+@localhost: *$/m);
      await terminal.type(server.password);
      await terminal.shows(/^The same again: *$/m);
      await terminal.type(server.password);
      const screen = await terminal.shows(/^\w+@localhost was added\.$/m);
      assert(!screen.includes(server.password), 'a password is not shown');
      assert.equal(await terminal.ended(), 0);
    }

    const romeo = await start('profanity');
    const [romeoConnects, romeoSays, ...more] = asRomeo as [string, string];
    assert.deepEqual(more, []);
    await connect(romeo, here(romeoConnects));
    const juliet = await start('profanity');
    const [julietConnects, julietLooks, julietSays] = asJuliet as [string, string, string];
    await connect(juliet, here(julietConnects));
    await romeo.type(romeoSays);
    await romeo.shows(/me: But, soft! what light through yonder window breaks\?$/m);
    await juliet.shows(/<< chat message: romeo@localhost\S* \(win 2\)/);
    await juliet.type(julietLooks);
    await juliet.shows(/romeo@localhost\S*: But, soft! what light through yonder window breaks\?$/m);
    await juliet.type(julietSays);
    await romeo.shows(/juliet@localhost\S*: Ay me!$/m);

    // she goes, and comes again
    await juliet.type('/quit');
    await juliet.ended();
    await romeo.type('Art thou gone so?');
    await romeo.shows(/me: Art thou gone so\?$/m);
    const again = await start('profanity', '-a', 'juliet@localhost');
    await again.shows(/Enter password:/);
    await again.type(server.password);
    await again.shows(/<< chat message: romeo@localhost\S* \(win 2\)/);
    await again.type('/win 2');
    await again.shows(/romeo@localhost\S*: Art thou gone so\?$/m);
  });

  it('a wrong password is refused, and the right one then is not', async () => {
    await server.add('mercutio');
    const terminal = await start('profanity');
    await terminal.shows(/Type '\/help' to show complete help/);
    const line = `/connect mercutio@localhost server 127.0.0.1 port ${server.ports.xmpp} tls trust`;
    await terminal.type(line);
    await terminal.shows(/Enter password:/);
    await terminal.type('queen mab');
    await terminal.shows(/Login failed\./);
    await connect(terminal, line);
  });

  it('direct TLS: it shows the certificate that the server made, and goes in once that is allowed', async () => {
    await server.add('benvolio');
    const terminal = await start('profanity');
    await terminal.shows(/Type '\/help' to show complete help/);
    await terminal.type(`/connect benvolio@localhost server 127.0.0.1 port ${server.ports.xmpps} tls legacy`);
    await terminal.shows(/Enter password:/);
    await terminal.type(server.password);
    const screen = await terminal.shows(/Use '\/tls allow' to accept this certificate/);
    const { fingerprint } = new X509Certificate(
      await readFile(path.join(server.data, 'certificates', `${server.domain}.crt`)),
    );
    assert.match(screen, new RegExp(`Fingerprint *: ${fingerprint.replaceAll(':', '')}$`, 'im'));
    await terminal.type('/tls allow');
    await terminal.shows(/ logged in successfully, online/);
  });

  it('a room: made and opened, an invitation, talk, another nickname, a kick, leaving (XEP-0045)', async () => {
    await server.add('romeo3', 'juliet3');
    const come = async (name: string): Promise<Terminal> => {
      const terminal = await start('profanity');
      await connect(terminal, `/connect ${name}@localhost server 127.0.0.1 port ${server.ports.xmpp} tls trust`);
      return terminal;
    };
    const romeo = await come('romeo3');
    const juliet = await come('juliet3');
    await romeo.type('/join garden@conference.localhost nick Romeo');
    await romeo.shows(/Room locked, requires configuration/);
    await romeo.type('/room accept');
    await romeo.shows(/Room unlocked\./);
    await romeo.type('/subject set The garden');
    await romeo.shows(/subject: The garden/);
    await romeo.type('/invite send juliet3@localhost come & see');
    await juliet.shows(/invit.*garden@conference\.localhost|garden@conference\.localhost.*invit/i);
    await juliet.type('/join garden@conference.localhost nick Juliet');
    await juliet.shows(/The garden/);
    // the list of those who are there
    await romeo.shows(/ {3}Juliet$/m);
    await romeo.type('But, soft!');
    await juliet.shows(/Romeo: But, soft!/);
    await juliet.type('/nick Nightingale');
    await romeo.shows(/Juliet is now known as Nightingale/);
    await juliet.type('Ay me!');
    await romeo.shows(/Nightingale: Ay me!/);
    await romeo.type('/kick Nightingale parting is such sweet sorrow');
    await juliet.shows(/Kicked from garden@conference\.localhost by Romeo, reason: parting is such sweet sorrow/);
    await juliet.type('/join garden@conference.localhost nick Juliet');
    await romeo.shows(/ {3}Juliet$/m);
    await juliet.type('/close');
    await romeo.shows(/ Participants\n.* Visitors$/m);
  });

  it('OMEMO: device lists and bundles come to the other, and what is said is sealed (XEP-0384, XEP-0163)', async () => {
    await server.add('romeo2', 'juliet2');
    const come = async (name: string): Promise<Terminal> => {
      const terminal = await start('profanity');
      await connect(terminal, `/connect ${name}@localhost server 127.0.0.1 port ${server.ports.xmpp} tls trust`);
      return terminal;
    };
    const romeo = await come('romeo2');
    const juliet = await come('juliet2');
    await romeo.type('/sub request juliet2@localhost');
    await juliet.shows(/romeo2@localhost/);
    await juliet.type('/sub allow romeo2@localhost');
    await juliet.type('/sub request romeo2@localhost');
    await romeo.shows(/juliet2@localhost/);
    await romeo.type('/sub allow juliet2@localhost');
    for (const terminal of [romeo, juliet]) {
      await terminal.type('/omemo gen');
      await terminal.shows(/OMEMO cry\w+ materials generated/);
      await terminal.type('/omemo trustmode blind');
    }
    await romeo.type('/omemo start juliet2@localhost');
    await romeo.shows(/\[OMEMO\]|OMEMO session started/);
    await romeo.type('with love’s light wings');
    await juliet.shows(/<< chat message: romeo2@localhost/);
    await juliet.type('/win 2');
    await juliet.shows(/with love’s light wings/);
    await juliet.type('/omemo start');
    await juliet.shows(/\[OMEMO\]/);
    await juliet.type('stony limits cannot hold love out');
    await romeo.shows(/stony limits cannot hold love out/);
    // what the server has of it
    const db = new Database(path.join(server.data, 'posthouse.sqlite'), { readonly: true });
    try {
      const stanzas = db.prepare('select stanza from archive_messages').pluck().all() as string[];
      assert.equal(stanzas.filter(stanza => stanza.includes('<encrypted')).length, 2);
      assert.ok(!stanzas.some(stanza => /light wings|stony limits/.test(stanza)));
    } finally {
      db.close();
    }
  });
});

/** What the README says of the first chat: the commands that add users, what is typed as Romeo, what as Juliet. */
async function chat(): Promise<[string[], string[], string[]]> {
  const [, part] = (await readFile(README, 'utf8')).split(/^## A first chat.*$/m);
  const blocks = [...part!.split(/^## /m)[0]!.matchAll(/^ *```(?:sh)?\n([^`]*)```$/gm)].map(([, block]) =>
    block!
      .split('\n')
      .map(line => line.trim())
      .filter(line => line !== ''),
  );
  assert.equal(blocks.length, 3);
  return blocks as [string[], string[], string[]];
}
