import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const POM = fileURLToPath(new URL('pom.xml', import.meta.url));
/** Git ignores it. */
export const CACHE = fileURLToPath(new URL('../../.cache/smack/', import.meta.url));

/**
 * Smack's kinds of connections that are tried. The modular ones lose a wake-up now and then while they set up TLS (a callback that comes
 * while the lock is held is dropped, XmppTcpTransportModule), so they are tried without TLS only. Those over WebSocket look their
 * server up in the DNS and by https at its domain, which is not to be had on a loopback.
 */
const CONNECTIONS = { required: 'tcp', disabled: 'tcp,modular,modular-nocompress' };

/** Classes about OMEMO: Smack runs them by a framework of their own. */
export const OMEMO: readonly string[] = [
  'MessageEncryptionIntegrationTest',
  'ReadOnlyDeviceIntegrationTest',
  'SessionRenegotiationIntegrationTest',
];
const FRAMEWORK = 'org.igniterealtime.smack.inttest.SmackIntegrationTestFramework';
const OMEMO_FRAMEWORK = 'org.igniterealtime.smack.inttest.smack_omemo_signal.SmackOmemoSignalIntegrationTestFramework';

/**
 * Classes that say nothing of a server, whatever comes out. OmemoMamDecryptionTest has one case: it asks the archive of an account while
 * the message that is to be there is still on its way over another connection, and counts what the cases before it said as well.
 */
export const LEFT_OUT: readonly string[] = ['OmemoMamDecryptionTest'];

/** One line a record, whatever the machine's language: `INFO: text`, then the stack of a failure. */
const LOG_FORMAT = '%4$s: %5$s%6$s%n';

/** Brings the jars of the framework with Maven, unless they are there. Gives their folder. @throws with what is missing */
export function fetchJars(): string {
  const lib = path.join(CACHE, 'lib');
  const mark = path.join(CACHE, 'pom.sha256');
  const digest = createHash('sha256').update(readFileSync(POM)).digest('hex');
  if (existsSync(lib) && existsSync(mark) && readFileSync(mark, 'utf8') === digest) return lib;
  mkdirSync(CACHE, { recursive: true });
  const fresh = path.join(CACHE, 'lib.new');
  rmSync(fresh, { recursive: true, force: true });
  const args = ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${fresh}`];
  const { status, error } = spawnSync('mvn', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw new Error('Maven is needed for the jars: apt-get install -y maven default-jre-headless');
  if (status !== 0) throw new Error(`mvn ${args.join(' ')} ended with ${status}`);
  rmSync(lib, { recursive: true, force: true });
  renameSync(fresh, lib);
  writeFileSync(mark, digest);
  return lib;
}

/** Makes a trust store of a certificate, so that Smack can check the chain and the name as an ordinary client would. */
export function makeTrustStore(certificate: string, file: string): void {
  rmSync(file, { force: true });
  const { status, error, stderr } = spawnSync(
    'keytool',
    [
      '-importcert',
      '-noprompt',
      '-alias',
      'host',
      '-file',
      certificate,
      '-keystore',
      file,
      '-storetype',
      'PKCS12',
      '-storepass',
      'changeit',
    ],
    { encoding: 'utf8' },
  );
  if (error) throw new Error('the keytool of Java is needed: apt-get install -y default-jre-headless');
  if (status !== 0) throw new Error(`keytool: ${stderr}`);
}

export interface SmackOptions {
  readonly jars: string;
  readonly domain: string;
  readonly host: string;
  readonly security: 'required' | 'disabled';
  readonly trustStore: string;
  readonly admin: { readonly name: string; readonly password: string };
  /** `Class` or `Class.method`; all without it. */
  readonly only: readonly string[];
  /** Those about OMEMO, or the others. */
  readonly omemo: boolean;
}

/** What the framework printed: its log, and each stanza that came and went. */
export interface Printed {
  readonly log: string;
  readonly traffic: string;
}

/** Runs the framework. */
export async function runSmack(options: SmackOptions): Promise<Printed> {
  const folder = path.join(CACHE, 'run');
  mkdirSync(folder, { recursive: true });
  // the domain is found at the server's address, for files; names that are not there are not found at all
  const names = path.join(folder, 'hosts');
  writeFileSync(names, `${options.host} ${options.domain}\n127.0.0.1 localhost ${hostname()}\n`);
  const properties: Record<string, string> = {
    'java.util.logging.SimpleFormatter.format': LOG_FORMAT,
    'javax.net.ssl.trustStore': options.trustStore,
    'javax.net.ssl.trustStorePassword': 'changeit',
    'file.encoding': 'UTF-8',
    'jdk.net.hosts.file': names,
    'sinttest.service': options.domain,
    'sinttest.host': options.host,
    'sinttest.securityMode': options.security,
    'sinttest.adminAccountUsername': options.admin.name,
    'sinttest.adminAccountPassword': options.admin.password,
    // of milliseconds, on a machine where other things may go on
    'sinttest.replyTimeout': '20000',
    'sinttest.enabledConnections': CONNECTIONS[options.security],
    'sinttest.dnsResolver': 'javax',
    'sinttest.debugger': 'console',
    'sinttest.verbose': 'true',
    'sinttest.disabledTests': [...LEFT_OUT, ...(options.omemo ? [] : OMEMO)].join(','),
    ...(options.only.length > 0 ? { 'sinttest.enabledTests': options.only.join(',') } : {}),
  };
  const child = spawn(
    'java',
    [
      '-Xmx1g',
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
      '-cp',
      `${options.jars}/*`,
      options.omemo ? OMEMO_FRAMEWORK : FRAMEWORK,
    ],
    // a properties file in the working directory would count
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const stop = (): unknown => child.kill('SIGKILL');
  process.once('exit', stop);
  let log = '';
  let traffic = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (traffic += chunk));
  try {
    await once(child, 'close');
  } catch {
    throw new Error('Java is needed: apt-get install -y default-jre-headless');
  } finally {
    process.off('exit', stop);
  }
  return { log, traffic };
}
