import type { Node } from './node.ts';
import { version } from './version.ts';

/** Reasons why a node is not ready to serve. */
export function problemsOf(node: Node): string[] {
  const problems: string[] = [];
  if (!node.accepting) problems.push('it does not accept connections');
  const { ok, reason } = node.storage.health();
  if (!ok) problems.push(`storage: ${reason}`);
  return problems;
}

/** What `posthouse status` shows. */
export function statusOf(node: Node) {
  const problems = problemsOf(node);
  return {
    version,
    ready: problems.length === 0 ? 'yes' : problems.join('; '),
    hosts: [...node.hosts],
    upSeconds: Math.floor((Date.now() - node.startedAt) / 1000),
    sessions: node.sessionCount,
    modules: node.modules.list().filter(module => module.state === 'loaded').length,
    memoryMiB: Math.round(process.memoryUsage.rss() / 1024 / 1024),
    pid: process.pid,
    listeners: node.listeners.open.map(({ settings, address }) => `${settings.name} ${address}:${settings.port}`),
  };
}
