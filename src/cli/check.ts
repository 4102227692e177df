import dns from 'node:dns/promises';
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { ConfigError, type LoadedConfig } from '../node/config/index.ts';
import { CONTROL_SOCKET } from '../node/control-socket.ts';
import { certificateFacts, TlsContexts } from '../transport/tls-contexts.ts';
import { portProblem } from '../transport/probe.ts';
import { requestUnix } from '../transport/unix.ts';
import { EXIT } from './ask.ts';
import { print } from './print.ts';
import { readConfig } from './read-config.ts';

type Level = 'ok' | 'hint' | 'problem';
interface Finding {
  readonly level: Level;
  readonly about: string;
  readonly text: string;
}

/** Looks at the configuration and the machine, and tells what it found; 1 when something would keep a node from working. */
export async function check(options: {
  conf?: string;
  data?: string;
  domain?: string;
  json?: boolean;
}): Promise<number> {
  const findings: Finding[] = [];
  const add = (level: Level, about: string, text: string): void => void findings.push({ level, about, text });
  let config: LoadedConfig | undefined;
  try {
    config = await readConfig(options);
    add('ok', 'configuration', `${path.relative('.', config.file) || config.file} is right`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.message.split('\n')) add('problem', 'configuration', line);
  }
  if (config) {
    const running = await isRunning(config);
    checkFolder(config, add);
    await checkPorts(config, running, add);
    checkCertificates(config, add);
    checkLimits(add);
    await checkNames(config, add);
  }
  const problems = findings.filter(finding => finding.level === 'problem').length;
  print(options.json === true, { problems, findings }, () => {
    const marks: Record<Level, string> = { ok: ' ok     ', hint: ' hint   ', problem: ' PROBLEM' };
    const lines = findings.map(({ level, about, text }) => `${marks[level]}  ${about}: ${text}`);
    return [
      ...lines,
      problems === 0
        ? 'Nothing keeps a node from working.'
        : `${problems} ${problems === 1 ? 'thing' : 'things'} to mend.`,
    ].join('\n');
  });
  return problems === 0 ? EXIT.done : EXIT.failed;
}

type Add = (level: Level, about: string, text: string) => void;

async function isRunning(config: LoadedConfig): Promise<boolean> {
  try {
    await requestUnix(path.join(config.values.core.storage.folder, CONTROL_SOCKET), { command: 'status' });
    return true;
  } catch {
    return false;
  }
}

function checkFolder(config: LoadedConfig, add: Add): void {
  const { folder } = config.values.core.storage;
  // the nearest folder that is there
  let there = folder;
  while (!existsSync(there)) there = path.dirname(there);
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
    add('ok', 'data folder', there === folder ? `${folder} can be written` : `${folder} will be made`);
  } catch {
    add(
      'problem',
      'data folder',
      `this user may not write in ${there}; make it this user's, or name another folder with --data`,
    );
    return;
  }
  const { bavail, bsize } = statfsSync(there);
  const free = (bavail * bsize) / 1024 ** 3;
  if (free < 1) add('problem', 'data folder', `only ${free.toFixed(1)} GiB are free there`);
  else if (free < 10) add('hint', 'data folder', `${free.toFixed(1)} GiB are free there`);
}

async function checkPorts(config: LoadedConfig, running: boolean, add: Add): Promise<void> {
  if (running) {
    add('ok', 'ports', 'a node runs on this data folder and holds them');
    return;
  }
  for (const [name, { port, addresses }] of Object.entries(config.values.listeners)) {
    for (const address of addresses) {
      const problem = await portProblem(address, port);
      const where = `${address} port ${port}`;
      if (problem === undefined) add('ok', 'ports', `${where} is free`);
      else if (problem === 'EADDRINUSE')
        add(
          'problem',
          'ports',
          `${where} is taken by another program; set listeners.${name}.port to another, or stop that program`,
        );
      else if (problem === 'EACCES')
        add('problem', 'ports', `${where} may not be opened by this user; set listeners.${name}.port above 1023`);
      else add('problem', 'ports', `${where} cannot be opened (${problem}); see listeners.${name}`);
    }
  }
}

function checkCertificates(config: LoadedConfig, add: Add): void {
  for (const [host, { certificate, key }] of Object.entries(config.values.hosts)) {
    const about = `certificate of ${host}`;
    const own = path.join(config.values.core.storage.folder, 'certificates', `${host}.crt`);
    const file = certificate || own;
    if (!certificate && !existsSync(own)) {
      add(
        'hint',
        about,
        'none is configured: a self-signed one is made at the first start, which clients ask their users about',
      );
      continue;
    }
    try {
      const pem = readFileSync(file, 'utf8');
      const facts = certificateFacts(pem);
      if (certificate) new TlsContexts().set(host, { certificate: pem, key: readFileSync(key, 'utf8') });
      const days = Math.floor((facts.notAfter.getTime() - Date.now()) / 86_400_000);
      if (!covers(facts.names, host))
        add('problem', about, `${file} is for ${facts.names.join(', ') || 'no name at all'}, not for ${host}`);
      else if (facts.notBefore.getTime() > Date.now())
        add('problem', about, `${file} holds only from ${facts.notBefore.toISOString()} on`);
      else if (days < 0)
        add(
          'problem',
          about,
          `${file} expired ${-days} days ago (${facts.notAfter.toISOString()}); put a new one in its place, it is taken up without a restart`,
        );
      else if (days < 14) add('hint', about, `${file} expires in ${days} days`);
      else
        add(
          facts.selfSigned ? 'hint' : 'ok',
          about,
          facts.selfSigned ? 'it is self-signed: clients ask their users about it' : `${file} holds for ${days} days`,
        );
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      const reason = code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' ? `${key} is not the key of ${file}` : message;
      add('problem', about, reason);
    }
  }
}

function covers(names: readonly string[], host: string): boolean {
  return names.some(name => {
    const dns = name.replace(/^DNS:/, '').toLowerCase();
    return dns === host || (dns.startsWith('*.') && host.split('.').slice(1).join('.') === dns.slice(2));
  });
}

function checkLimits(add: Add): void {
  if (process.platform !== 'linux') return;
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  const files = match?.[1] === 'unlimited' ? Infinity : Number(match?.[1] ?? 0);
  if (files < 1024)
    add('problem', 'open files', `this user may open ${files} files; each client needs one ('ulimit -n')`);
  else if (files < 65_536)
    add(
      'hint',
      'open files',
      `this user may open ${files} files, and each client needs one ('ulimit -n 65536' for a busy server)`,
    );
  else add('ok', 'open files', `${files} may be open`);
}

async function checkNames(config: LoadedConfig, add: Add): Promise<void> {
  const port = config.values.listeners.xmpp?.port;
  for (const host of Object.keys(config.values.hosts)) {
    if (host === 'localhost' || /^[\d.]+$/.test(host) || host.endsWith('.local')) continue;
    const about = `DNS of ${host}`;
    const resolver = new dns.Resolver({ timeout: 2000, tries: 1 });
    const [srv, direct, a, aaaa] = await Promise.allSettled([
      resolver.resolveSrv(`_xmpp-client._tcp.${host}`),
      resolver.resolveSrv(`_xmpps-client._tcp.${host}`),
      resolver.resolve4(host),
      resolver.resolve6(host),
    ]);
    const found = [srv, direct].filter(result => result.status === 'fulfilled' && result.value.length > 0).length;
    if (found > 0) add('ok', about, 'there are SRV records for clients');
    else if (a.status === 'fulfilled' || aaaa.status === 'fulfilled') {
      add(
        port === 5222 ? 'ok' : 'hint',
        about,
        port === 5222
          ? 'it has an address; clients find port 5222 there'
          : `it has an address, but clients look at port 5222: add the record _xmpp-client._tcp.${host} SRV 0 5 ${port} ${host}.`,
      );
    } else
      add(
        'hint',
        about,
        `no address and no SRV record was found; clients elsewhere need one: _xmpp-client._tcp.${host} SRV 0 5 ${port ?? 5222} your-machine.`,
      );
  }
}
