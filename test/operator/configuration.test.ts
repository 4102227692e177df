import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigError, loadConfig } from '../../src/node/config/index.ts';
import { optionsOfModule } from '../../src/node/modules/find.ts';
import { removeTemp, tempFolder } from '../kit/temp.ts';
import { posthouse } from './program.ts';

/** A file in which each line that ends in `# !` is wrong, and what is said of it, in the order of the lines. */
const WRONG: readonly (readonly [string, RegExp?])[] = [
  ['hosts:'],
  ['  localhost:'],
  ['    anonymous: yes # !', /^3:16: hosts\.localhost\.anonymous: 'yes' is not allowed: true or false\.$/],
  [
    '    anonymos: true # !',
    /^4:5: hosts\.localhost\.anonymos: there is no option of that name\. Did you mean 'anonymous'\?$/,
  ],
  [
    '    admins: [admin@localhost, "@"] # !',
    /^5:31: hosts\.localhost\.admins\[1\]: '@' is not allowed: an address such as/,
  ],
  ['    modules:'],
  ['      vcrad: {} # !', /^7:7: hosts\.localhost\.modules\.vcrad: this module is not on\. Did you mean 'vcard'\?$/],
  [
    '      offline: { limit: many } # !',
    /^8:25: hosts\.localhost\.modules\.offline\.limit: 'many' is not allowed: a whole number from 0/,
  ],
  ['  "not a domain!": {} # !', /^9:3: hosts\.not a domain!: 'not a domain!' is no domain\.$/],
  ['listeners:'],
  [
    '  xmpp: { port: 70000 } # !',
    /^11:17: listeners\.xmpp\.port: '70000' is not allowed: a whole number from 1 to 65535\.$/,
  ],
  ['  htps: { port: 1 } # !', /^12:3: listeners\.htps: a listener of your own needs 'type'\. Did you mean 'https'\?$/],
  ['  htp: false # !', /^13:3: listeners\.htp: there is no such listener\. Did you mean 'http'\?$/],
  [
    "  http: { addresses: ['::'] } # !",
    /^14:22: listeners\.http\.addresses: HTTP without TLS is for loopback addresses only/,
  ],
  [
    '  open: { type: c2s, port: 2, allowPlaintext: true } # !',
    /^15:47: listeners\.open\.allowPlaintext: logins without TLS are for loopback addresses only/,
  ],
  [
    '  twice: { type: c2s, port: 5223 } # !',
    /^16:29: listeners\.twice\.port: port 5223 of :: is that of listeners\.xmpps already\.$/,
  ],
  ['limits:'],
  [
    '  stanza: 5 # !',
    /^18:11: limits\.stanza: '5' is not allowed: a number from 10000 to 16777216 \(bytes\), a number of bytes or a text like '64 KiB'\.$/,
  ],
  ['  bytesPerSecond: 3 parsecs # !', /^19:19: limits\.bytesPerSecond: '3 parsecs' is not allowed/],
  ['  depth: 17.5 # !', /^20:10: limits\.depth: '17\.5' is not allowed: a whole number from 16 to 1000 \(levels\)\.$/],
  ['login:'],
  [
    '  mechanisms: [PLAIN, SCRAM-SHA-265] # !',
    /^22:23: login\.mechanisms\[1\]: 'SCRAM-SHA-265' is not allowed: one of .* Did you mean 'SCRAM-SHA-256'\?$/,
  ],
  ['  iterations: .inf # !', /^23:15: login\.iterations: '\.inf' is not allowed/],
  ['sessions: 5 min # !', /^24:11: sessions: '5 min' is not allowed: a map of options\.$/],
  ['lgo: { level: info } # !', /^25:1: lgo: there is no option of that name\. Did you mean 'log'\?$/],
  ['modules:'],
  ['  ping: often # !', /^27:9: modules\.ping: options of the module, or true or false\.$/],
  ['  ofline: false # !', /^28:3: modules\.ofline: there is no such module\. Did you mean 'offline'\?$/],
  ['  ./nowhere: {} # !', /^29:3: modules\.\.\/nowhere: there is no module at .*nowhere$/],
  ['  external-services:'],
  ['    services:'],
  [
    '      - { type: turn, host: a.example, secret: { env: NO_SUCH_VARIABLE } } # !',
    /^32:48: .*services\[0\]\.secret: the environment has no variable NO_SUCH_VARIABLE, or it is empty\.$/,
  ],
  [
    '      - { type: turn, host: b.example, secret: { file: no-such-file } } # !',
    /^33:48: .*services\[1\]\.secret: the secret cannot be read: ENOENT.*no-such-file/,
  ],
  [
    '      - { type: turn, host: c.example, secret: 5 } # !',
    /^34:48: .*services\[2\]\.secret: a secret is a text in quotes, \{env: NAME\} or \{file: PATH\}\.$/,
  ],
];

describe('a configuration', () => {
  const folder = tempFolder();
  const conf = path.join(folder, 'posthouse.yaml');
  after(() => removeTemp(folder));

  it('that is wrong is told whole: each fault with its place, the value, what is allowed and the nearest name', async () => {
    writeFileSync(conf, WRONG.map(([line]) => line).join('\n'));
    const { code, out } = await posthouse(['check', '--conf', conf, '--json']);
    assert.equal(code, 1);
    const { findings } = JSON.parse(out) as { findings: { level: string; about: string; text: string }[] };
    assert.ok(findings.every(({ level, about }) => level === 'problem' && about === 'configuration'));
    const said = findings.map(({ text }) => text.slice(`${conf}:`.length));
    assert.ok(
      findings.every(({ text }) => text.startsWith(`${conf}:`)),
      'each names the file',
    );
    const wanted = WRONG.flatMap(([, pattern]) => (pattern ? [pattern] : []));
    for (const [at, pattern] of wanted.entries()) assert.match(said[at] ?? '', pattern, said.join('\n'));
    assert.equal(said.length, wanted.length, said.slice(wanted.length).join('\n'));
  });

  it('that is wrong starts nothing', async () => {
    writeFileSync(conf, 'storage: { folder: ./data }\nlimits: { stanza: 5, depht: 5 }\n');
    const { code, out, err } = await posthouse(['start', '--conf', conf], { cwd: folder });
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(
      err,
      /posthouse\.yaml:2:19: limits\.stanza.*\n.*posthouse\.yaml:2:22: limits\.depht: .*Did you mean 'depth'/,
    );
  });

  /** What is wrong with a text, without the file's name. */
  async function faults(text: string, options: Partial<Parameters<typeof loadConfig>[0]> = {}): Promise<string[]> {
    writeFileSync(conf, text);
    try {
      await loadConfig({ file: conf, env: {}, moduleOptions: optionsOfModule, ...options });
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return error.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`);
    }
  }

  for (const [what, text, wanted] of [
    ['a key that stands twice', 'login: {}\nlog: {}\nlogin: {}\n', ['3:1: Map keys must be unique.']],
    ['a key that stands twice deeper', 'login:\n  attempts: 1\n  attempts: 2\n', ['3:3: Map keys must be unique.']],
    ['a bracket that is not closed', 'hosts: { localhost: {}\nlog: {}\n', [/^[12]:\d+: Flow map/]],
    ['a tab for indentation', 'log:\n\tlevel: info\n', [/^2:1: Tabs are not allowed as indentation/]],
    ['a list', '- hosts\n', ['1:1: a configuration is a map of options.']],
    ['a text', 'hosts\n', ['1:1: a configuration is a map of options.']],
    ['two documents', 'log: {}\n---\nlog: {}\n', [/^[23]:\d+: Source contains multiple documents/]],
    [
      'aliases that grow without end',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n`,
      [/Excessive alias count/],
    ],
    [
      'a host that stands twice, spelt otherwise',
      'hosts: { Example.org: {}, example.org: {} }\n',
      [/^1:27: this is 'example\.org', which is named already/],
    ],
    [
      'a certificate without its key',
      'hosts: { a.example: { certificate: a.crt } }\n',
      ["1:21: 'certificate' and 'key' go together."],
    ],
    ['hosts that are a list', 'hosts: [localhost]\n', [/^1:8: a map from each domain to its options/]],
  ] as const) {
    it(`with ${what} is refused with its place`, async () => {
      const got = await faults(text);
      for (const [at, pattern] of wanted.entries())
        if (typeof pattern === 'string') assert.equal(got[at], pattern);
        else assert.match(got[at] ?? '', pattern);
      assert.ok(got.length <= wanted.length + 1, got.join('\n'));
    });
  }

  it('may be empty, or say nothing of a part', async () => {
    assert.deepEqual(await faults(''), []);
    assert.deepEqual(await faults('# nothing\n'), []);
    assert.deepEqual(await faults('hosts:\nlisteners:\nmodules:\nlimits:\nlog: { level: }\n'), []);
    assert.deepEqual(await faults('\ufeffhosts: { localhost: {} }\r\nlog: { level: debug }\r\n'), []);
  });

  it('takes secrets from the environment and from files, and numbers with units', async () => {
    writeFileSync(path.join(folder, 'gateway.secret'), 'from a file\n');
    writeFileSync(
      conf,
      `limits: { stanza: 64 KiB, unauthenticatedTime: 1.5 min }
sessions: { resumption: 10 minutes, silence: 0 }
modules:
  component:
    components: { a.localhost: { secret: { env: A } }, b.localhost: { secret: { file: gateway.secret } } }
hosts:
  localhost: { modules: { registration: { open: true } } }
  other.example: {}
`,
    );
    const config = await loadConfig({ file: conf, env: { A: 'from outside' }, moduleOptions: optionsOfModule });
    const { core } = config.values;
    assert.equal(core.limits.stanza, 65_536);
    assert.equal(core.limits.unauthenticatedTime, 90);
    assert.equal(core.sessions.resumption, 600);
    assert.deepEqual(
      Object.values(config.moduleOptions('component').components as Record<string, { secret: string }>).map(
        ({ secret }) => secret,
      ),
      ['from outside', 'from a file'],
    );
    assert.equal(config.moduleOptions('registration', 'localhost').open, true, 'of the host');
    assert.equal(config.moduleOptions('registration', 'other.example').open, false);
    assert.ok(!/from (?:outside|a file)/.test(config.print()), 'no secret is printed');
    assert.ok(!/from (?:outside|a file)/.test(JSON.stringify(config.masked())), 'no secret is given out');
  });
});
