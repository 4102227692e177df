import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadedConfig } from '../node/config/index.ts';
import type { Node } from '../node/node.ts';
import { packageFolder } from '../node/version.ts';

/** What somebody who starts a node for the first time wants to know. */
export function greeting(node: Node, config: LoadedConfig, seconds: number): string {
  const { core } = config.values;
  const [host = 'localhost'] = node.hosts;
  const data = short(core.storage.folder);
  const lines = [
    `Posthouse ${node.version} serves ${[...node.hosts].join(', ')}`,
    '',
    ...addresses(node, host).map(([what, where]) => `  ${what.padEnd(12)} ${where}`),
    ...[...node.certificates.facts].map(([name, { fingerprint, made }]) =>
      made
        ? `  certificate  self-signed for ${name}, SHA-256 ${fingerprint}`
        : `  certificate  ${name}, from the configuration, SHA-256 ${fingerprint}`,
    ),
    `  data         ${data}`,
    `  conf         ${short(config.file)}`,
    `  log          ${core.log.file === '' ? 'here' : short(core.log.file)}`,
    '',
    `  add a user   npx posthouse user add romeo@${host}${data === 'data' ? '' : ` --data ${data}`}`,
    `  read on      ${short(fileURLToPath(new URL('README.md', packageFolder)))}, ${short(fileURLToPath(new URL('docs/', packageFolder)))}`,
    '',
    `Ready after ${seconds.toFixed(2)} s. Ctrl-C stops it.`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Where what is spoken. */
function addresses(node: Node, host: string): [string, string][] {
  return node.listeners.open.map(({ settings: { name, type, port }, address }) => {
    const all = address === '::' || address === '0.0.0.0';
    const where = all ? `port ${port}` : `${address.includes(':') ? `[${address}]` : address}:${port}`;
    switch (type) {
      case 'c2s':
        return ['XMPP', `${where}, STARTTLS`];
      case 'c2s-tls':
        return ['XMPP', `${where}, direct TLS`];
      case 'https':
        return ['WebSocket', `wss://${host}:${port}/xmpp-websocket${all ? '' : ` at ${where}`}`];
      case 'http':
        return ['HTTP', `http://${all ? 'localhost' : address}:${port}  /health, /ready, /metrics`];
      case 'socks5':
        return ['SOCKS5', `${where}, file transfers`];
      default:
        return [name, where];
    }
  });
}

/** A path as it is said from the working folder on. */
function short(file: string): string {
  const relative = path.relative('.', file) || '.';
  return relative.startsWith('..') ? path.resolve(file) : relative;
}
