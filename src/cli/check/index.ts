import path from 'node:path';
import { ConfigError, type LoadedConfig } from '../../node/config/index.ts';
import { CONTROL_SOCKET } from '../../node/control-socket.ts';
import { requestUnix } from '../../transport/unix.ts';
import { EXIT } from '../ask.ts';
import type { Common } from '../context.ts';
import { print } from '../print.ts';
import { readConfig } from '../read-config.ts';
import { checkCertificates } from './certificates.ts';
import { checkDatabase } from './database.ts';
import type { Finding, Level } from './finding.ts';
import { checkFolder } from './folder.ts';
import { checkLimits } from './limits.ts';
import { checkModules } from './modules.ts';
import { checkNames } from './names.ts';
import { checkPorts } from './ports.ts';
import { checkProtocols } from './protocols.ts';

const MARKS: Record<Level, string> = { ok: ' ok     ', hint: ' hint   ', problem: ' PROBLEM' };

/** Looks at the configuration and the machine, and tells what it found; 1 when something would keep a node from working. */
export async function check(options: Common): Promise<number> {
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
    await checkDatabase(config, add);
    await checkPorts(config, running, add);
    checkProtocols(config, add);
    await checkModules(config, add);
    checkCertificates(config, add);
    checkLimits(add);
    await checkNames(config, add);
  }
  const problems = findings.filter(finding => finding.level === 'problem').length;
  print(options.json === true, { problems, findings }, () =>
    [
      ...findings.map(({ level, about, text }) => `${MARKS[level]}  ${about}: ${text}`),
      problems === 0
        ? 'Nothing keeps a node from working.'
        : `${problems} ${problems === 1 ? 'thing' : 'things'} to mend.`,
    ].join('\n'),
  );
  return problems === 0 ? EXIT.done : EXIT.failed;
}

async function isRunning(config: LoadedConfig): Promise<boolean> {
  try {
    await requestUnix(path.join(config.values.core.storage.folder, CONTROL_SOCKET), { command: 'status' });
    return true;
  } catch {
    return false;
  }
}
