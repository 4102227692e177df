import path from 'node:path';
import type { LoadedConfig } from '../node/config/index.ts';
import type { Node } from '../node/node.ts';

/** What somebody who starts a node for the first time wants to know. */
export function greeting(node: Node, config: LoadedConfig, seconds: number): string {
  const { listeners, core } = config.values;
  const folder = path.relative('.', core.storage.folder) || '.';
  const [host = 'localhost'] = node.hosts;
  const ports = Object.entries(listeners).map(([name, { type, port }]) => `${port} ${NAMES[type] ?? name}`);
  const data = folder === 'data' ? '' : ` --data ${folder}`;
  const lines = [
    `Posthouse ${node.version} serves ${[...node.hosts].join(', ')}`,
    '',
    `  ports        ${ports.join(', ')}`,
    ...[...node.certificates.facts].map(([name, { fingerprint, made }]) =>
      made
        ? `  certificate  self-signed for ${name}, SHA-256 ${fingerprint}`
        : `  certificate  ${name}, from the configuration`,
    ),
    `  data         ${folder}    configuration  ${path.relative('.', config.file) || config.file}`,
    `  log          ${core.log.file || 'here'}`,
    '',
    `  add a user   npx posthouse user add romeo@${host}${data}`,
    '  read on      README.md, docs/',
    '',
    `Ready after ${seconds.toFixed(2)} s. Ctrl-C stops it.`,
  ];
  return `${lines.join('\n')}\n`;
}

const NAMES: Record<string, string> = {
  c2s: 'XMPP (STARTTLS)',
  'c2s-tls': 'XMPP (direct TLS)',
  https: 'HTTPS and WebSocket',
  http: 'HTTP on this machine: health, metrics',
  component: 'components',
  socks5: 'SOCKS5 for file transfers',
};
